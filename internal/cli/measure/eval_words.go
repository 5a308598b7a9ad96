package measure

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

func newEvalWordsCommand(env *command.Environment) *cobra.Command {
	var dataset, root, model string
	var proposed groupvit.ProposeOptions
	var options bench.Options
	var techniques command.TechniqueFlags
	var output jsonFlag
	workers := 0
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
			switch {
			case dataset == "" || root == "":
				return command.Usagef("name the dataset with --dataset and --root; layouts are %s", strings.Join(bench.Layouts(), ", "))
			case workers < 0:
				return command.Usagef("--workers %d: it must be 0 (one a processor) or more", workers)
			}
			if err := techniques.Set(&o); err != nil {
				return err
			}
			if err := output.check(); err != nil {
				return err
			}
			d, err := openDataset(env, dataset, root, options)
			if err != nil {
				return err
			}
			m, err := env.OpenWith(cmd, model, techniques.Calibration)
			if err != nil {
				return err
			}
			defer m.Close()
			bar := env.Progress("photos", len(d.Samples))
			r, err := evaluate.Words(cmd.Context(), m, d, o.EncodeOptions, proposed, workers, bar.Set)
			bar.Done()
			if errors.Is(err, groupvit.ErrOption) || errors.Is(err, evaluate.ErrOptions) {
				return command.Usagef("%w", err)
			}
			if err != nil {
				return err
			}
			r.Command = commandLine(cmd)
			return output.write(env, r, r.WriteText)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dataset, "dataset", "", "layout of the dataset: "+strings.Join(bench.Layouts(), ", "))
	flags.StringVar(&root, "root", "", "folder of the dataset")
	flags.StringSliceVar(&options.Classes, "classes", nil, "classes to ask for, background among them (default all)")
	flags.StringVar(&options.Split, "split", "", "list of the photos (default: the validation set)")
	flags.IntVar(&options.Limit, "limit", 0, "evaluate this many evenly spaced photos; 0 means all")
	flags.StringVar(&options.Half, "half", "", "even or odd: every other photo, to tune on one half and report the other")
	command.ModelFlag(cmd, &model)
	flags.IntVar(&proposed.Top, "top", groupvit.DefaultTop, "most words of a photo")
	flags.Float64Var(&proposed.Least, "least", groupvit.DefaultLeast, "score that a word must reach, 0 to 1")
	flags.IntVar(&workers, "workers", 0, "photos processed at once; 0 means one per processor")
	techniques.Add(cmd)
	output.add(cmd)
	return cmd
}
