package datasets

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/synth"
)

// firstTestScene is the number of the first test scene. Training scenes of any
// set have smaller numbers, so a test scene is never trained on, whatever the
// seeds.
const firstTestScene = 1 << 32

// The folders of a set of scenes.
const (
	trainFolder = "train"
	testFolder  = "test"
)

type synthFlags struct {
	output          string
	scenes, test    int
	seed            uint64
	objects, radius string
	scene           synth.Options
	shardSize       int
	labels          bool
}

func newDataSynthCommand(env *command.Environment) *cobra.Command {
	f := &synthFlags{}
	cmd := &cobra.Command{
		Use:   "synth --output DIR",
		Short: "Draw synthetic scenes with captions and exact masks",
		Long: `synth draws small scenes: one of four grounds (grass, sand, water, brick) with
one to four objects of eight kinds (ball, box, tent, wheel, cross, star, fish,
kite). Shapes and textures tell the classes apart, colours do not. A network
learns to segment them in minutes on a CPU, and every pixel's truth is known.

  DIR/train/  webdataset shards: pictures with captions
  DIR/test/   the layout of PASCAL VOC: JPEGImages, SegmentationClass,
              ImageSets/Segmentation/val.txt, classes.txt

The seed decides everything: the same scenes on every machine. Test scenes are
never among the training scenes, whatever the numbers.`,
		Example: `  groupvit data synth --output scenes
  groupvit train --config recipes/scenes.yaml --train-data scenes/train --output runs/scenes
  groupvit eval segmentation --dataset scenes --root scenes/test --model runs/scenes/final`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.run(cmd.Context(), env)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "folder for the scenes; made if missing")
	flags.IntVar(&f.scenes, "scenes", 8000, "training scenes; 0 is none")
	flags.IntVar(&f.test, "test-scenes", 300, "test scenes; 0 is none")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of all scenes")
	flags.IntVar(&f.scene.Size, "size", 64, "side of a picture in pixels, 16 to 1024")
	flags.StringVar(&f.objects, "objects", "1-4", "objects of a scene: a number or a range")
	flags.StringVar(&f.radius, "radius", "10-18", "radius of an object in pixels: a number or a range")
	flags.BoolVar(&f.scene.Distinct, "distinct", false, "at most one object of a kind")
	flags.IntVar(&f.scene.Grounds, "grounds", 1, "different grounds in a scene, 1 to 4, as bands")
	flags.BoolVar(&f.labels, "labels", false, "add the exact masks to the training shards, for training on label maps")
	flags.IntVar(&f.shardSize, "shard-size", 1000, "scenes of a shard")
	return cmd
}

// check reads the ranges and looks for mistakes before anything is written.
func (f *synthFlags) check() error {
	if f.output == "" {
		return command.Usagef("name a folder for the scenes with --output")
	}
	if f.scenes < 0 || f.test < 0 || f.scenes+f.test == 0 {
		return command.Usagef("--scenes %d and --test-scenes %d: ask for at least one scene", f.scenes, f.test)
	}
	low, high, err := parseRange(f.objects)
	if err != nil || low != math.Trunc(low) || high != math.Trunc(high) || high == 0 {
		return command.Usagef("--objects %q: write a number or a range, as 3 or 1-4, not 0 alone", f.objects)
	}
	f.scene.MinObjects, f.scene.MaxObjects = int(low), int(high)
	if f.scene.MinRadius, f.scene.MaxRadius, err = parseRange(f.radius); err != nil || f.scene.MaxRadius == 0 {
		return command.Usagef("--radius %q: write a number or a range in pixels, as 12 or 10-18", f.radius)
	}
	for _, s := range f.sets() {
		if err := s.options.Validate(); err != nil {
			return command.Usagef("%w", err)
		}
		if entries, err := os.ReadDir(s.folder); err == nil && len(entries) > 0 {
			return fmt.Errorf("folder %s is not empty: name a new one with --output or remove it", s.folder)
		}
	}
	return nil
}

// parseRange reads "3" or "1-4".
func parseRange(s string) (low, high float64, err error) {
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	if low, err = strconv.ParseFloat(strings.TrimSpace(from), 64); err != nil {
		return 0, 0, err
	}
	if high, err = strconv.ParseFloat(strings.TrimSpace(to), 64); err != nil {
		return 0, 0, err
	}
	if !(low >= 0 && low <= high && high < 1e6) {
		return 0, 0, errors.New("no range")
	}
	return low, high, nil
}

// sceneSet is one folder to write.
type sceneSet struct {
	folder  string
	options synth.DataOptions
}

func (f *synthFlags) sets() []sceneSet {
	common := synth.DataOptions{Seed: f.seed, Scene: f.scene, ShardSize: f.shardSize}
	var sets []sceneSet
	if f.scenes > 0 {
		o := common
		o.Scenes, o.Shards, o.Labels = f.scenes, true, f.labels
		sets = append(sets, sceneSet{filepath.Join(f.output, trainFolder), o})
	}
	if f.test > 0 {
		o := common
		o.Scenes, o.First, o.VOC = f.test, firstTestScene, true
		sets = append(sets, sceneSet{filepath.Join(f.output, testFolder), o})
	}
	return sets
}

// SynthJSON is the line of --json, one a folder.
type SynthJSON struct {
	Folder          string   `json:"folder"`
	Layout          string   `json:"layout"`
	Scenes          int      `json:"scenes"`
	Seed            uint64   `json:"seed"`
	Size            int      `json:"size"`
	Classes         []string `json:"classes"`
	Seconds         float64  `json:"seconds"`
	ScenesPerSecond float64  `json:"scenes_per_second"`
}

func (f *synthFlags) run(ctx context.Context, env *command.Environment) error {
	for _, s := range f.sets() {
		bar := env.Progress(s.folder, s.options.Scenes)
		s.options.Progress = bar.Set
		start := time.Now()
		err := synth.Write(ctx, s.folder, s.options)
		bar.Done()
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %s is not written: %w", s.folder, ctx.Err())
		}
		if err != nil {
			return err
		}
		seconds := time.Since(start).Seconds()
		r := SynthJSON{
			Folder: s.folder, Layout: "shards", Scenes: s.options.Scenes, Seed: f.seed, Size: f.scene.Size, Classes: synth.Words(),
			Seconds: math.Round(seconds*1e3) / 1e3, ScenesPerSecond: math.Round(float64(s.options.Scenes) / seconds),
		}
		if s.options.VOC {
			r.Layout = "scenes"
		}
		if env.JSON {
			err = env.Print(r)
		} else {
			_, err = fmt.Fprintln(env.Stdout, s.folder)
			env.Warn("%s: %d scenes of %d×%d pixels in %.1f s (%.0f a second)", s.folder, r.Scenes, r.Size, r.Size, seconds, r.ScenesPerSecond)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
