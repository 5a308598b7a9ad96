package photos

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/render"
)

func NewGroupsCommand(env *command.Environment) *cobra.Command {
	var model, out string
	cmd := &cobra.Command{
		Use:   "groups PHOTO",
		Short: "Draw which group each part of a photo belongs to",
		Long: `Draw which group each part of a photo belongs to, for every grouping stage, on
one sheet beside the photo. No words are asked: this is what the model groups
by itself. It needs a model with grouping stages, as the paper's; "groupvit model
show" says how many groups a model has.`,
		Example: `  groupvit groups cat.jpg --model nvidia/groupvit-gcc-yfcc -o groups.png`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			photo, err := env.ReadPhoto(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			m, err := env.Open(cmd, model)
			if err != nil {
				return err
			}
			defer m.Close()
			maps, err := m.Groups(cmd.Context(), photo)
			if err != nil {
				return err
			}
			panels := []render.Panel{{Title: "photo", Image: photo.RGBA()}}
			used := []int{}
			for i, g := range maps {
				var picture image.Image
				if picture, err = render.Regions(photo, g, nil); err != nil {
					return err
				}
				n := 0
				for _, s := range g.Stats(int(g.Max())) {
					if s.Pixels > 0 {
						n++
					}
				}
				used = append(used, n)
				title := fmt.Sprintf("stage %d: %d groups", i+1, n)
				if n == 1 {
					title = fmt.Sprintf("stage %d: 1 group", i+1)
				}
				panels = append(panels, render.Panel{Title: title, Image: picture})
			}
			sheet, err := render.Sheet(panels, nil)
			if err != nil {
				return err
			}
			if err := command.WriteFile(out, func(w io.Writer) error { return png.Encode(w, sheet) }); err != nil {
				return err
			}
			if env.JSON {
				return env.Print(map[string]any{"photo": args[0], "sheet": out, "model": m.Info(), "groups_used": used})
			}
			_, err = fmt.Fprintln(env.Stdout, out)
			return err
		},
	}
	command.ModelFlag(cmd, &model)
	cmd.Flags().StringVarP(&out, "output", "o", "groups.png", "the sheet to write")
	command.MaxPixelsFlag(cmd, env)
	return cmd
}
