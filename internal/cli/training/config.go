package training

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/train/settings"
)

func NewConfigCommand(env *command.Environment) *cobra.Command {
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

func newConfigShowCommand(env *command.Environment) *cobra.Command {
	var settings SettingsFlags
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
			passes, err := settings.passes()
			if err != nil {
				return err
			}
			if len(passes) > 0 {
				return settings.showPasses(cmd, env, passes)
			}
			loaded, err := settings.Load(cmd, env)
			if err != nil {
				return err
			}
			return show(env, loaded)
		},
	}
	settings.Register(cmd.Flags())
	settings.keys.register(cmd.Flags())
	return cmd
}

// show prints settings.
func show(env *command.Environment, loaded *settings.Loaded) error {
	if env.JSON {
		for _, v := range loaded.Values() {
			if err := env.Print(v); err != nil {
				return err
			}
		}
		return nil
	}
	text, err := loaded.YAML(true)
	if err != nil {
		return err
	}
	_, err = env.Stdout.Write(text)
	return err
}

// showPasses prints the settings of each pass of a recipe, one document after the
// other.
func (s *SettingsFlags) showPasses(cmd *cobra.Command, env *command.Environment, passes []settings.Pass) error {
	overrides, err := s.overrides(cmd, env)
	if err != nil {
		return err
	}
	for i, p := range passes {
		loaded, err := settings.LoadPass(s.config, p, os.Environ(), overrides)
		if err != nil {
			return fmt.Errorf("%w: pass %s: %w", command.ErrUsage, p.Name, err)
		}
		if !env.JSON {
			fmt.Fprintf(env.Stdout, "--- # pass %d of %d: %s\n", i+1, len(passes), p.Name)
		}
		if err := show(env, loaded); err != nil {
			return err
		}
	}
	return nil
}
