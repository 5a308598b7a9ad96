package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/train"
)

// settingsFlags are the flags that give training settings, shared by train and
// config show.
type settingsFlags struct {
	config    string
	sets      []string
	trainData string
	init      string
	steps     int
	epochs    float64
	batch     int
	seed      uint64
	measure   measureFlags
}

func (s *settingsFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.config, "config", "", "recipe (YAML); without one, the published settings")
	f.StringVar(&s.trainData, "train-data", "", "shards, as in 'a/{0000..0099}.tar::b'; or synth:N for N synthetic scenes")
	f.StringVar(&s.init, "init", "", "model whose weights to start from")
	f.IntVar(&s.steps, "steps", 0, "number of training steps")
	f.Float64Var(&s.epochs, "epochs", 0, "number of passes over the data, instead of --steps")
	f.IntVar(&s.batch, "batch", 0, "pictures of a step")
	f.Uint64Var(&s.seed, "seed", 0, "seed of all random choices")
	s.measure.register(f)
	f.StringArrayVar(&s.sets, "set", nil, "any setting, as in --set optimizer.learning_rate=1e-3; may be repeated")
}

// load reads the settings from recipe, environment and flags.
func (s *settingsFlags) load(cmd *cobra.Command, env *environment) (*train.Loaded, error) {
	f := cmd.Flags()
	if f.Changed("steps") && f.Changed("epochs") {
		return nil, usagef("--steps and --epochs both say how long: give one")
	}
	var overrides []train.Override
	add := func(flag, key, value string) {
		if f.Changed(flag) {
			overrides = append(overrides, train.Override{Key: key, Value: value, Origin: "--" + flag})
		}
	}
	for _, set := range s.sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok {
			return nil, usagef("--set %s: it needs KEY=VALUE", set)
		}
		overrides = append(overrides, train.Override{Key: strings.TrimSpace(key), Value: value, Origin: "--set"})
	}
	add("train-data", "data.train", s.trainData)
	add("init", "init", s.init)
	add("steps", "steps", strconv.Itoa(s.steps))
	add("epochs", "steps", "0")
	add("epochs", "epochs", strconv.FormatFloat(s.epochs, 'g', -1, 64))
	add("batch", "batch", strconv.Itoa(s.batch))
	add("seed", "seed", strconv.FormatUint(s.seed, 10))
	if err := s.measure.add(add); err != nil {
		return nil, err
	}
	if p := env.engine.Precision; p != "" && p != engine.Float32 {
		return nil, usagef("--precision %s: training is float32; precisions are for inference", p)
	}
	add("engine", "engine", env.engine.Kind)
	add("threads", "threads", strconv.Itoa(env.engine.Threads))
	l, err := train.Load(s.config, os.Environ(), overrides)
	if errors.Is(err, train.ErrSettings) {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return l, err
}

func newTrainCommand(env *environment) *cobra.Command {
	var settings settingsFlags
	var o train.Options
	cmd := &cobra.Command{
		Use:   "train --config RECIPE.yaml --train-data SHARDS --output DIR",
		Short: "Train a model from pictures with captions",
		Long: `train learns a model from pictures with captions, as the recipe says. It writes

  DIR/log.jsonl          one JSON object for each logged step
  DIR/tensorboard/       the same and more for "tensorboard --logdir DIR"
  DIR/curves.png         the same as a picture, at the end
  DIR/pictures/          a few photos with their groups, as training goes
  DIR/recipe.yaml        all settings, with where each came from
  DIR/checkpoints/STEP/  model, optimizer and position in the data
  DIR/final/             the trained model

It can be stopped at any moment, killed even: --resume goes on from the newest
checkpoint with the same losses. Ctrl-C writes a checkpoint first.

--val-data measures retrieval and --eval-root a segmentation set every
--eval-every steps and at the end (DIR/measured.jsonl). With --keep best the
model with the highest mIoU is kept in DIR/best/. Choose it by a set that you do
not report on: "groupvit data synth" draws one.`,
		Example: `  groupvit train --config recipes/smoke.yaml --output runs/smoke
  groupvit train --config recipes/photos.yaml --train-data 'photos/*.tar' --output runs/photos
  groupvit train --config recipes/photos.yaml --train-data 'photos/*.tar' --output runs/photos --resume

  # Measured every 500 steps on scenes with masks, the best kept
  groupvit data synth --output scenes
  groupvit train --config recipes/scenes.yaml --train-data scenes/train --output runs/scenes \
    --eval-root scenes/test --eval-every 500 --keep best`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Output == "" {
				return usagef("name a directory for the results with --output")
			}
			loaded, err := settings.load(cmd, env)
			if err != nil {
				return err
			}
			o.Loaded, o.Progress = loaded, env.stderr
			result, err := train.Run(cmd.Context(), o)
			if result != nil && result.Data.Total() > 0 {
				env.warn("data: %s", result.Data)
			}
			if err != nil {
				return err
			}
			if env.json {
				return env.print(map[string]any{
					"final": result.Final, "steps": result.Steps, "loss": result.Loss, "skipped": result.Skipped,
					"roll_backs": result.RollBacks, "best": result.Best, "measured": result.Measured,
					"samples": result.Data.Samples, "samples_skipped": result.Data.Total(),
				})
			}
			if b := result.Best; b != nil {
				env.warn("best: %s, step %d, mIoU %.2f", b.Dir, b.Step, b.MIoU)
			}
			_, err = fmt.Fprintln(env.stdout, result.Final)
			return err
		},
	}
	settings.register(cmd.Flags())
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "directory of the run")
	cmd.Flags().BoolVar(&o.Resume, "resume", false, "continue the run in --output from its newest checkpoint")
	return cmd
}
