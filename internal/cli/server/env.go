package server

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// envPrefix begins the names of environment variables.
const envPrefix = "GROUPVIT_"

// envName is the environment variable that stands for a flag: --max-images is
// $GROUPVIT_MAX_IMAGES.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// flagsFromEnv sets the flags that the command line does not from the environment, as
// containers and service files like it.
func flagsFromEnv(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, ok := os.LookupEnv(envName(f.Name))
		if err != nil || f.Changed || !ok || value == "" || f.Name == "help" {
			return
		}
		if e := cmd.Flags().Set(f.Name, value); e != nil {
			err = command.Usagef("$%s (--%s): %w", envName(f.Name), f.Name, e)
		}
	})
	return err
}
