package measure

import (
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

func newEvalPresenceCommand(env *command.Environment) *cobra.Command {
	var p photoSet
	background := ""
	cmd := &cobra.Command{
		Use:   "presence --dataset NAME --root DIR",
		Short: "Measure whether absent words find nothing and leave others' regions alone",
		Long: `presence makes a query of each class of a dataset, for every photo. It reports how
much of a photo is covered by a word that is not in it, how well a word that covers more
than a tenth of it is found, and how far that word's region moves where one, three or ten
absent words are added: medians over all such queries. Choose a --background on --half
even and report --half odd; a model keeps its own as background_threshold in eval.json.`,
		Example: `  groupvit eval presence --dataset voc12 --root VOCdevkit/VOC2012 \
    --classes background,cat,cow,dog,horse,person,sheep`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}}
			var err error
			if o.Background, err = groupvit.ParseBackground(background); err != nil {
				return command.Usagef("--background: %w", err)
			}
			return p.run(cmd, env, o, func(m *groupvit.Model, d *bench.Dataset, o groupvit.SegmentOptions, done func(int)) (report, error) {
				r, err := evaluate.Presence(cmd.Context(), m, d, o, p.workers, done)
				if err != nil {
					return nil, err
				}
				r.Command = commandLine(cmd)
				return r, nil
			})
		},
	}
	p.add(cmd)
	cmd.Flags().StringVar(&background, "background", "auto", "what is background: auto, or a threshold from 0 to 1")
	return cmd
}
