package training

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/tune"
)

// NewTuneCommand returns the command that adapts a model to photos with masks.
func NewTuneCommand(env *command.Environment) *cobra.Command {
	var o tune.Options
	var sets []string
	var learningRate float64
	cmd := &cobra.Command{
		Use:   "tune --masks FOLDER --output DIR",
		Short: "Adapt a model to your own photos and classes",
		Long: `tune continues the training of a model, the built-in one by default, on a few photos of
yours with masks, in minutes on a laptop. It sets a part of these aside, measures mIoU on
that part before and after, keeps the best model of the run, and says so if nothing was
gained: DIR/final is then the model that it started from.

--masks is what "groupvit data masks" reads: a folder with classes.txt and masks beside
the photos (or in masks/), VOC's folders, COCO's JSON, a benchmark. A class that the model
knows under another name goes on from there, a new one becomes a word of the model.
--captions adds photos with captions and without masks, which make half of each step.

  DIR/final/          the model: groupvit segment --model DIR/final
  DIR/tune.json       what was measured, before and after
  DIR/data/held-out/  the photos set aside, to measure on with eval segmentation
  DIR/run/            the training: log, curves, checkpoints, recipe

It can be stopped at any moment, killed even: the same command with --resume goes on.
A worked example: docs/tune.md.`,
		Example: `  groupvit tune --masks my-photos --output tuned
  groupvit segment photo.jpg --model tuned/final --labels "road, tree, pole"

  # From another model, with captioned photos beside the masks, for longer
  groupvit tune --model runs/mine/final --masks masks --captions 'photos/*.tar' --steps 2000 --output tuned`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.Masks.Path == "":
				return command.Usagef("--masks is required: a folder of photos with masks, or COCO's JSON")
			case o.Output == "":
				return command.Usagef("--output is required: the directory of the run")
			}
			for _, set := range sets {
				key, value, ok := strings.Cut(set, "=")
				if !ok {
					return command.Usagef("--set %s: it needs KEY=VALUE", set)
				}
				o.Overrides = append(o.Overrides, settings.Override{Key: strings.TrimSpace(key), Value: value, Origin: "--set"})
			}
			if cmd.Flags().Changed("lr") {
				o.Overrides = append(o.Overrides, settings.Override{Key: "optimizer.learning_rate", Value: fmt.Sprint(learningRate), Origin: "--lr"})
			}
			return runTune(cmd, env, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Model, "model", groupvit.DefaultModel, "model to start from: a directory, a name of the Hub, or default")
	flags.StringVar(&o.Masks.Path, "masks", "", "photos with masks: a folder, or COCO's JSON")
	flags.StringVar(&o.Masks.Layout, "layout", "", "its layout: "+strings.Join(masks.Layouts(), ", ")+" (default: found out)")
	flags.StringVar(&o.Masks.Split, "split", "", "part of a layout that has several (default: the one for training)")
	flags.StringVar(&o.Masks.Photos, "photos", "", "folder of the photos of a JSON file")
	flags.IntVar(&o.Masks.Limit, "limit", 0, "take this many photos with masks, at even steps; 0 means all")
	flags.StringVar(&o.Captions, "captions", "", "further photos with captions, as in train --train-data")
	TableFlags(flags, &o.Table)
	flags.Float64Var(&o.HoldOut, "hold-out", tune.DefaultHoldOut, "share of the photos with masks that is set aside to measure on; 0 measures nothing")
	flags.IntVar(&o.Steps, "steps", tune.DefaultSteps, "number of training steps")
	flags.IntVar(&o.Batch, "batch", tune.DefaultBatch, "photos of a step")
	flags.Float64Var(&learningRate, "lr", tune.DefaultLearningRate, "peak learning rate")
	flags.Uint64Var(&o.Seed, "seed", 0, "seed of all random choices")
	flags.BoolVar(&o.Half, "half", false, "write the model in half precision")
	flags.StringArrayVar(&sets, "set", nil, "any setting of the training, as in --set optimizer.ema=0; may be repeated")
	flags.StringVarP(&o.Output, "output", "o", "", "directory of the run")
	flags.BoolVar(&o.Resume, "resume", false, "continue the run in --output")
	return cmd
}

func runTune(cmd *cobra.Command, env *command.Environment, o tune.Options) error {
	if err := env.FetchMissing(cmd.Context(), o.Model); err != nil {
		return err
	}
	o.Compute = groupvit.Options{Engine: env.Engine.Kind, Threads: env.Engine.Threads, Precision: env.Engine.Precision}
	o.Progress = env.Stderr
	skipped := 0
	o.Skip = func(p pairs.Problem) {
		skipped++
		env.Warn("left out: %s", p)
	}
	r, err := tune.Run(cmd.Context(), o)
	for _, usage := range []error{tune.ErrOptions, settings.ErrSettings, bench.ErrUsage, engine.ErrUnavailable} {
		if errors.Is(err, usage) && !errors.Is(err, train.ErrResume) {
			return command.Usagef("%w", err)
		}
	}
	if err != nil {
		return err
	}
	if env.JSON {
		err = env.Print(r)
	} else {
		_, err = fmt.Fprintln(env.Stdout, r.Final)
	}
	if err == nil && skipped > 0 {
		err = fmt.Errorf("%w: %s left out", command.ErrPartial, command.Count(skipped, "photo"))
	}
	return err
}
