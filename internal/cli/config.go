package cli

import "github.com/spf13/cobra"

func newConfigCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show training settings",
		Example: `  groupvit config show --config recipes/photos.yaml`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigShowCommand(env))
	return cmd
}

func newConfigShowCommand(env *environment) *cobra.Command {
	var settings settingsFlags
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print all training settings and where each value came from",
		Long: `show prints the settings that train would use, as a recipe with the origin of
each value as a comment: default, FILE:LINE, $VARIABLE or --flag. The later wins:
defaults, then the recipe (after the one it is based on), then the environment
(GROUPVIT_OPTIMIZER_LEARNING_RATE is optimizer.learning_rate), then flags.`,
		Example: `  groupvit config show --config recipes/photos.yaml --set batch=96`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := settings.load(cmd, env)
			if err != nil {
				return err
			}
			if env.json {
				for _, v := range loaded.Values() {
					if err := env.print(v); err != nil {
						return err
					}
				}
				return nil
			}
			text, err := loaded.YAML(true)
			if err != nil {
				return err
			}
			_, err = env.stdout.Write(text)
			return err
		},
	}
	settings.register(cmd.Flags())
	settings.keys.register(cmd.Flags())
	return cmd
}
