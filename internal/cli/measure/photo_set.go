package measure

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

// photoSet are the flags of commands that ask a model about every photo of a dataset.
type photoSet struct {
	dataset, root, model string
	options              bench.Options
	techniques           command.TechniqueFlags
	output               jsonFlag
	workers              int
}

func (p *photoSet) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&p.dataset, "dataset", "", "layout of the dataset: "+strings.Join(bench.Layouts(), ", "))
	flags.StringVar(&p.root, "root", "", "folder of the dataset")
	flags.StringSliceVar(&p.options.Classes, "classes", nil, "classes to ask for, background among them (default all)")
	flags.StringVar(&p.options.Split, "split", "", "list of the photos (default: the validation set)")
	flags.IntVar(&p.options.Limit, "limit", 0, "evaluate this many evenly spaced photos; 0 means all")
	flags.StringVar(&p.options.Half, "half", "", "even or odd: every other photo, to tune on one half and report the other")
	command.ModelFlag(cmd, &p.model)
	flags.IntVar(&p.workers, "workers", 0, "photos processed at once; 0 means one per processor")
	p.techniques.Add(cmd)
	p.output.add(cmd)
}

// report is what a measurement gives.
type report interface{ WriteText(io.Writer) error }

// run opens dataset and model, measures with a progress bar, and writes the report.
func (p *photoSet) run(cmd *cobra.Command, env *command.Environment, o groupvit.SegmentOptions,
	measure func(*groupvit.Model, *bench.Dataset, groupvit.SegmentOptions, func(int)) (report, error)) error {
	switch {
	case p.dataset == "" || p.root == "":
		return command.Usagef("name the dataset with --dataset and --root; layouts are %s", strings.Join(bench.Layouts(), ", "))
	case p.workers < 0:
		return command.Usagef("--workers %d: it must be 0 (one a processor) or more", p.workers)
	}
	if err := p.techniques.Set(&o); err != nil {
		return err
	}
	if err := p.output.check(); err != nil {
		return err
	}
	d, err := openDataset(env, p.dataset, p.root, p.options)
	if err != nil {
		return err
	}
	m, err := env.OpenWith(cmd, p.model, p.techniques.Calibration)
	if err != nil {
		return err
	}
	defer m.Close()
	bar := env.Progress("photos", len(d.Samples))
	r, err := measure(m, d, o, bar.Set)
	bar.Done()
	if errors.Is(err, groupvit.ErrOption) || errors.Is(err, evaluate.ErrOptions) {
		return command.Usagef("%w", err)
	}
	if err != nil {
		return err
	}
	return p.output.write(env, r, r.WriteText)
}
