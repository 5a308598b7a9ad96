package photos

import (
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
)

func NewEmbedCommand(env *command.Environment) *cobra.Command {
	var model, photo, text string
	cmd := &cobra.Command{
		Use:   "embed --image FILE | --text WORDS",
		Short: "Print the vector of a photo or a text",
		Long: `Print the unit vector of a photo or a text in the space they share, as
{"embedding": […]}. The dot product of two vectors is their cosine similarity.

A photo is resized and cut as the model directory's preprocessor_config.json says.`,
		Example: `  groupvit embed --image cat.jpg
  groupvit embed --text "a photo of a cat."`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			image, words := cmd.Flags().Changed("image"), cmd.Flags().Changed("text")
			if image == words {
				return command.Usagef("name either --image or --text")
			}
			m, err := env.Open(cmd, model)
			if err != nil {
				return err
			}
			defer m.Close()
			var v []float32
			if image {
				im, readErr := env.ReadPhoto(cmd.Context(), photo)
				if readErr != nil {
					return readErr
				}
				v, err = m.EmbedImage(cmd.Context(), im)
			} else {
				v, err = m.EmbedText(cmd.Context(), text)
			}
			if err != nil {
				return err
			}
			return env.Print(map[string]any{"embedding": v})
		},
	}
	command.ModelFlag(cmd, &model)
	cmd.Flags().StringVar(&photo, "image", "", "photo, or - for stdin")
	cmd.Flags().StringVar(&text, "text", "", "text")
	command.MaxPixelsFlag(cmd, env)
	return cmd
}
