package command

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// TeachArguments lets every command say how it is called where its arguments are not
// what it takes.
func TeachArguments(root *cobra.Command) {
	for _, c := range Descendants(root) {
		if c.Args == nil {
			continue
		}
		check := c.Args
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			switch {
			case err == nil || errors.Is(err, ErrUsage):
				return err
			case cmd.HasAvailableSubCommands():
				return Usagef("%w; it has %s%s", err, strings.Join(subcommands(cmd), ", "), meant(args, subcommands(cmd)))
			case len(args) == 0:
				return Usagef("no argument was given, where the command is: %s", cmd.UseLine())
			}
			return Usagef("arguments %q were given, where the command is: %s", args, cmd.UseLine())
		}
	}
}

// meant asks for the word that the first argument is spelt like, if there is one.
func meant(args, known []string) string {
	if len(args) > 0 {
		if like := Closest(args[0], known); like != "" {
			return " (did you mean " + like + "?)"
		}
	}
	return ""
}

// subcommands are the names of the commands below one.
func subcommands(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}
