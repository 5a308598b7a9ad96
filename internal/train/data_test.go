package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// What OpenCLIP's flags say about the data reaches the loader.
func TestDataSettings(t *testing.T) {
	l := traintest.Load(t, "data.train=a::b", "data.upsampling_factors=[1, 2.5]", "data.resampled=true", "data.csv_img_key=where", "data.csv_separator=;", "data.patience=1.5")
	o := traintest.LoaderOptions(t, l.Settings)
	if !slices.Equal(o.Weights, []float64{1, 2.5}) || !o.Resampled || o.Table != (pairs.TableOptions{Image: "where", Separator: ";"}) || o.Patience.Seconds() != 1.5 {
		t.Errorf("%+v", o)
	}
	_, err := settings.Load(traintest.Recipe(t, "smoke"), nil, []settings.Override{{Key: "data.train", Value: "a::b", Origin: "test"}, {Key: "data.upsampling_factors", Value: "[1]", Origin: "test"}})
	if !errors.Is(err, settings.ErrSettings) || !strings.Contains(err.Error(), "1 weights for 2 sources") {
		t.Errorf("got %v", err)
	}
}

// A shard that vanishes in the middle ends the run with a checkpoint of the last
// step; once it is back the run goes on with the losses of one that never lacked
// it.
func TestShardVanishes(t *testing.T) {
	data := traintest.Scenes(t, 60)
	settings := func() *settings.Loaded {
		return traintest.Load(t, "steps=12", "threads=1", "batch=4", "data.train="+data, "data.patience=0", "data.prefetch=1", "measure.pictures=0")
	}
	whole, _, err := watched(t, context.Background(), Options{Loaded: settings(), Output: filepath.Join(t.TempDir(), "whole")})
	if err != nil {
		t.Fatal(err)
	}
	shard := filepath.Join(data, "scenes-000000.tar")
	dir := filepath.Join(t.TempDir(), "run")
	first, _, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir, afterStep: func(step int, _ map[string]float64) {
		if step == 4 {
			if err := os.Rename(shard, shard+".gone"); err != nil {
				t.Error(err)
			}
		}
	}})
	if !errors.Is(err, pairs.ErrVanished) || !strings.Contains(err.Error(), "--resume") || !strings.Contains(err.Error(), shard) {
		t.Fatalf("got %v", err)
	}
	if steps, err := checkpoints(dir); err != nil || !slices.Equal(steps, []int{len(first)}) {
		t.Errorf("checkpoints %v after %d steps, %v", steps, len(first), err)
	}
	if err := os.Rename(shard+".gone", shard); err != nil {
		t.Fatal(err)
	}
	second, _, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir, Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(append(first, second...), whole) {
		t.Errorf("losses\n%v and\n%v, of the run that lacked nothing\n%v", first, second, whole)
	}
}
