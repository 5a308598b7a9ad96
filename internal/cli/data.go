package cli

import "github.com/spf13/cobra"

func newDataCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "Make data to train and to measure on",
		Example: `  groupvit data synth --output scenes`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataSynthCommand(env))
	return cmd
}
