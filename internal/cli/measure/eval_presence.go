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

func newEvalPresenceCommand(env *command.Environment) *cobra.Command {
	var dataset, root, model, background string
	var options bench.Options
	var techniques command.TechniqueFlags
	var output jsonFlag
	workers := 0
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
			switch {
			case dataset == "" || root == "":
				return command.Usagef("name the dataset with --dataset and --root; layouts are %s", strings.Join(bench.Layouts(), ", "))
			case workers < 0:
				return command.Usagef("--workers %d: it must be 0 (one a processor) or more", workers)
			}
			if err := techniques.Set(&o); err != nil {
				return err
			}
			if o.Background, err = groupvit.ParseBackground(background); err != nil {
				return command.Usagef("--background: %w", err)
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
			r, err := evaluate.Presence(cmd.Context(), m, d, o, workers, bar.Set)
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
	flags.StringVar(&background, "background", "auto", "what is background: auto, or a threshold from 0 to 1")
	flags.IntVar(&workers, "workers", 0, "photos processed at once; 0 means one per processor")
	techniques.Add(cmd)
	output.add(cmd)
	return cmd
}
