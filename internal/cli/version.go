package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// release is the version that a release's build sets; elsewhere it is empty and
// Go's own record tells.
var release string

func newVersionCommand(env *command.Environment) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": versionName(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						v["revision"] = s.Value
					}
				}
			}
			if env.JSON {
				return env.Print(v)
			}
			_, err := fmt.Fprintf(env.Stdout, "groupvit %s %s %s\n", v["version"], v["platform"], v["go"])
			return err
		},
	}
}

// versionName is the version of the program: that of the release, of the module, or of
// the commit that it was built from.
func versionName() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	return builtVersion(info)
}

// builtVersion is the version that Go's record of a build tells.
func builtVersion(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return "(devel)"
	}
	version := "devel-" + revision[:min(12, len(revision))]
	if settings["vcs.modified"] == "true" {
		version += "+dirty"
	}
	return version
}
