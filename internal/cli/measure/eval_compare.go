package measure

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate"
)

type evalCompareFlags struct {
	options evaluate.CompareOptions
}

func newEvalCompareCommand(env *command.Environment) *cobra.Command {
	f := &evalCompareFlags{}
	cmd := &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Compare two reports of eval segmentation, with an interval for the difference",
		Long: `compare tells what B's report has more than A's, class by class, and whether that
may be chance: the photos are drawn again with replacement, thousands of times, and
both reports summed for the same draw (the bootstrap). The interval holds 95 % of
the differences.

Both reports must come from "eval segmentation --json FILE" (or --output DIR) on the
same photos and classes.`,
		Example: `  groupvit eval segmentation --dataset voc12 --root VOC2012 --protocol paper --json paper.json
  groupvit eval segmentation --dataset voc12 --root VOC2012 --protocol best --json best.json
  groupvit eval compare paper.json best.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args[0], args[1]) },
	}
	cmd.Flags().IntVar(&f.options.Samples, "samples", 2000, "resamples of the photos")
	cmd.Flags().Uint64Var(&f.options.Seed, "seed", 1, "seed of the resamples")
	return cmd
}

func (f *evalCompareFlags) run(cmd *cobra.Command, env *command.Environment, a, b string) error {
	if f.options.Samples < 1 {
		return command.Usagef("--samples %d: it must be 1 or more", f.options.Samples)
	}
	first, err := evaluate.ReadReport(a)
	if err != nil {
		return err
	}
	second, err := evaluate.ReadReport(b)
	if err != nil {
		return err
	}
	c, err := evaluate.Compare(first, second, f.options)
	if errors.Is(err, evaluate.ErrOptions) {
		return command.Usagef("%w", err)
	}
	if err != nil {
		return err
	}
	c.Command = commandLine(cmd) + " " + shellQuote(a) + " " + shellQuote(b)
	if env.JSON {
		return env.Print(c)
	}
	return c.WriteText(env.Stdout)
}
