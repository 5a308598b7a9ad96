package training

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/passes"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// SettingsFlags are the flags that give training settings, shared by train and
// config show.
type SettingsFlags struct {
	config    string
	sets      []string
	trainData string
	factors   string
	resampled bool
	csv       pairs.TableOptions
	init      string
	steps     int
	epochs    float64
	batch     int
	seed      uint64
	measure   measureFlags
	keys      keyFlags
}

func (s *SettingsFlags) Register(f *pflag.FlagSet) {
	f.StringVar(&s.config, "config", "", "recipe (YAML); without one, the published settings")
	f.StringVar(&s.trainData, "train-data", "", "shards, folders, tables, as in 'a/{0000..0099}.tar::b::c.csv'; or synth:N for N synthetic scenes")
	f.StringVar(&s.factors, "train-data-upsampling-factors", "", "how often a pass takes each part of --train-data, as in 1::2.5")
	f.BoolVar(&s.resampled, "dataset-resampled", false, "draw shards with replacement, in that proportion")
	TableFlags(f, &s.csv)
	f.StringVar(&s.init, "init", "", "model whose weights to start from")
	f.IntVar(&s.steps, "steps", 0, "number of training steps")
	f.Float64Var(&s.epochs, "epochs", 0, "number of passes over the data, instead of --steps")
	f.IntVar(&s.batch, "batch", 0, "batch size")
	f.Uint64Var(&s.seed, "seed", 0, "seed of all random choices")
	s.measure.register(f)
	f.StringArrayVar(&s.sets, "set", nil, "any setting, as in --set optimizer.learning_rate=1e-3; may be repeated")
}

// Load reads the settings from recipe, environment and flags.
func (s *SettingsFlags) Load(cmd *cobra.Command, env *command.Environment) (*settings.Loaded, error) {
	overrides, err := s.overrides(cmd, env)
	if err != nil {
		return nil, err
	}
	l, err := settings.Load(s.config, os.Environ(), overrides)
	if errors.Is(err, settings.ErrSettings) {
		return nil, fmt.Errorf("%w: %w", command.ErrUsage, err)
	}
	return l, err
}

// overrides are the settings that flags give.
func (s *SettingsFlags) overrides(cmd *cobra.Command, env *command.Environment) ([]settings.Override, error) {
	f := cmd.Flags()
	if f.Changed("steps") && f.Changed("epochs") {
		return nil, command.Usagef("--steps and --epochs both say how long: give one")
	}
	var overrides []settings.Override
	add := func(flag, key, value string) {
		if f.Changed(flag) {
			overrides = append(overrides, settings.Override{Key: key, Value: value, Origin: "--" + flag})
		}
	}
	for _, set := range s.sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok {
			return nil, command.Usagef("--set %s: it needs KEY=VALUE", set)
		}
		overrides = append(overrides, settings.Override{Key: strings.TrimSpace(key), Value: value, Origin: "--set"})
	}
	add("train-data", "data.train", s.trainData)
	add("train-data-upsampling-factors", "data.upsampling_factors", "["+strings.ReplaceAll(s.factors, "::", ", ")+"]")
	add("dataset-resampled", "data.resampled", strconv.FormatBool(s.resampled))
	add("csv-img-key", "data.csv_img_key", s.csv.Image)
	add("csv-caption-key", "data.csv_caption_key", s.csv.Caption)
	add("csv-separator", "data.csv_separator", s.csv.Separator)
	add("init", "init", s.init)
	add("steps", "steps", strconv.Itoa(s.steps))
	add("epochs", "steps", "0")
	add("epochs", "epochs", strconv.FormatFloat(s.epochs, 'g', -1, 64))
	add("batch", "batch", strconv.Itoa(s.batch))
	add("seed", "seed", strconv.FormatUint(s.seed, 10))
	overrides = append(overrides, s.keys.overrides(f)...)
	if err := s.measure.add(add); err != nil {
		return nil, err
	}
	add("precision", "precision", env.Engine.Precision)
	add("engine", "engine", env.Engine.Kind)
	add("threads", "threads", strconv.Itoa(env.Engine.Threads))
	return overrides, nil
}

func NewTrainCommand(env *command.Environment) *cobra.Command {
	var settings SettingsFlags
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

A recipe with passes (recipes/default.yaml) trains several models, each from the one
before, in DIR/1-NAME, DIR/2-NAME and so on; a pass may first make pseudo masks with
the model before it (DIR/2-NAME/masks) and learn from these.

It can be stopped at any moment, killed even: --resume goes on from the newest
checkpoint with the same losses. Ctrl-C writes a checkpoint first.

--val-data measures retrieval and --eval-root a segmentation set every
--eval-every steps and at the end (DIR/measured.jsonl); --set measure.hold_out=0.02
sets a share of the training photos aside and measures how well the model names
them. With --keep best the best model is kept in DIR/best/: by mIoU, by naming, or by
the mean of both where both are measured. Choose it by a set that you do not report on:
"groupvit data synth" draws one.`,
		Example: `  groupvit train --config recipes/smoke.yaml --output runs/smoke
  groupvit train --config recipes/photos.yaml --train-data 'photos/*.tar' --output runs/photos
  groupvit train --config recipes/photos.yaml --train-data 'photos/*.tar' --output runs/photos --resume

  # A table of paths and captions, and shards twice as often
  groupvit train --config recipes/photos.yaml --train-data 'mine.csv::photos/*.tar' \
    --train-data-upsampling-factors 1::2 --output runs/mine

  # Measured every 500 steps on scenes with masks, the best kept
  groupvit data synth --output scenes
  groupvit train --config recipes/scenes.yaml --train-data scenes/train --output runs/scenes \
    --eval-root scenes/test --eval-every 500 --keep best`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Output == "" {
				return command.Usagef("--output is required: the directory of the run")
			}
			o.Progress = env.Stderr
			result, err := settings.train(cmd, env, o)
			if result != nil && !result.Data.AllUsed() {
				env.Warn("data: %s", result.Data)
			}
			if errors.Is(err, engine.ErrUnavailable) {
				return command.Usagef("%w", err)
			}
			if err != nil {
				return err
			}
			if env.JSON {
				return env.Print(map[string]any{
					"final": result.Final, "steps": result.Steps, "loss": result.Loss, "skipped": result.Skipped,
					"roll_backs": result.RollBacks, "best": result.Best, "measured": result.Measured,
					"samples": result.Data.Samples, "samples_skipped": result.Data.Total(),
				})
			}
			if b := result.Best; b != nil {
				env.Warn("best: %s, step %d, %s", b.Dir, b.Step, b)
			}
			_, err = fmt.Fprintln(env.Stdout, result.Final)
			return err
		},
	}
	settings.Register(cmd.Flags())
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "directory of the run")
	settings.keys.register(cmd.Flags())
	cmd.Flags().BoolVar(&o.Resume, "resume", false, "continue the run in --output from its newest checkpoint")
	return cmd
}

// passes are those of the recipe.
func (s *SettingsFlags) passes() ([]settings.Pass, error) {
	list, err := settings.Passes(s.config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", command.ErrUsage, err)
	}
	return list, nil
}

// train runs a recipe, or all of its passes.
func (s *SettingsFlags) train(cmd *cobra.Command, env *command.Environment, o train.Options) (*train.Result, error) {
	list, err := s.passes()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		if o.Loaded, err = s.Load(cmd, env); err != nil {
			return nil, err
		}
		return train.Run(cmd.Context(), o)
	}
	overrides, err := s.overrides(cmd, env)
	if err != nil {
		return nil, err
	}
	result, err := passes.Run(cmd.Context(), passes.Options{
		Recipe: s.config, Passes: list, Environ: os.Environ(), Overrides: overrides,
		Output: o.Output, Resume: o.Resume, Progress: o.Progress,
	})
	if errors.Is(err, settings.ErrSettings) && !errors.Is(err, train.ErrResume) {
		err = fmt.Errorf("%w: %w", command.ErrUsage, err)
	}
	if result == nil || result.Result == nil {
		return nil, err
	}
	for _, p := range result.Skipped {
		env.Warn("left out: %s", p)
	}
	last := *result.Result
	if err == nil {
		last.Final = result.Final
	}
	return &last, err
}

// TableFlags are the flags that say how tables of pictures are read; the names are
// OpenCLIP's.
func TableFlags(f *pflag.FlagSet, o *pairs.TableOptions) {
	f.StringVar(&o.Image, "csv-img-key", "", "column of the pictures' paths in CSV, TSV and Parquet files (default: auto-detected)")
	f.StringVar(&o.Caption, "csv-caption-key", "", "column of the captions (default: auto-detected)")
	f.StringVar(&o.Separator, "csv-separator", "", "delimiter of CSV files (default: auto-detected)")
}
