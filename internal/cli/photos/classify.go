package photos

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
)

func NewClassifyCommand(env *command.Environment) *cobra.Command {
	var labels command.LabelFlags
	var model string
	cmd := &cobra.Command{
		Use:   "classify PHOTO",
		Short: "Say which of some words fits a photo best",
		Long: `Score words for a whole photo, best first. The score is a cosine, −1 to 1.
The photo is resized and cut as the model directory's preprocessor_config.json says.`,
		Example: `  groupvit classify cat.jpg --labels "cat,dog,horse"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			words, err := labels.Read(env)
			if err != nil {
				return err
			}
			photo, err := env.ReadPhoto(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			m, err := env.Open(cmd, model)
			if err != nil {
				return err
			}
			defer m.Close()
			classes, err := m.Classify(cmd.Context(), photo, words)
			if errors.Is(err, groupvit.ErrLabels) {
				return command.Usagef("%w", err)
			}
			if err != nil {
				return err
			}
			if env.JSON {
				return env.Print(map[string]any{"photo": args[0], "model": m.Info(), "classes": classes})
			}
			for _, c := range classes {
				if _, err := fmt.Fprintf(env.Stdout, "%.4f  %s\n", c.Score, c.Label); err != nil {
					return err
				}
			}
			return nil
		},
	}
	labels.Add(cmd)
	command.ModelFlag(cmd, &model)
	command.MaxPixelsFlag(cmd, env)
	return cmd
}
