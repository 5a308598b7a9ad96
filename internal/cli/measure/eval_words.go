package measure

import (
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

func newEvalWordsCommand(env *command.Environment) *cobra.Command {
	var p photoSet
	var proposed groupvit.ProposeOptions
	cmd := &cobra.Command{
		Use:   "words --dataset NAME --root DIR",
		Short: "Measure the words that the model proposes by itself",
		Long: `words lets the model propose words for every photo, as segment does without
--labels, and judges them by the classes that the photo truly shows: how many of the
proposed words that name a class are right (precision), and how many of the classes that
cover a hundredth of a photo or more are proposed (recall), at several least scores.
Words that name no class of the dataset are not judged. Choose a --least on --half even
and report --half odd.`,
		Example: `  groupvit eval words --dataset voc12 --root VOCdevkit/VOC2012
  groupvit eval words --dataset coco-object --root coco --half odd`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}}
			return p.run(cmd, env, o, func(m *groupvit.Model, d *bench.Dataset, o groupvit.SegmentOptions, done func(int)) (report, error) {
				r, err := evaluate.Words(cmd.Context(), m, d, o.EncodeOptions, proposed, p.workers, done)
				if err != nil {
					return nil, err
				}
				r.Command = commandLine(cmd)
				return r, nil
			})
		},
	}
	p.add(cmd)
	cmd.Flags().IntVar(&proposed.Top, "top", groupvit.DefaultTop, "most words of a photo")
	cmd.Flags().Float64Var(&proposed.Least, "least", groupvit.DefaultLeast, "score that a word must reach, 0 to 1")
	return cmd
}
