package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/groupvit/groupvit/internal/cli/command"
)

func newManCommand(env *command.Environment) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands",
		Long: `man writes a manual page for each command into DIR, which is made if missing:
groupvit.1, groupvit-segment.1, and so on.`,
		Example: `  groupvit man ~/.local/share/man/man1
  man groupvit-segment`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := WriteManual(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintln(env.Stdout, args[0])
			return err
		},
	}
}

// WriteManual writes a manual page for each command into a folder.
func WriteManual(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	// A page shows a date. One that does not move keeps releases reproducible.
	date := time.Date(2022, 6, 19, 0, 0, 0, 0, time.UTC) // CVPR 2022
	return doc.GenManTree(Command(), &doc.GenManHeader{Section: "1", Source: "groupvit", Manual: "groupvit", Date: &date}, dir)
}
