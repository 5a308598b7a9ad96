package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/train/traintest"
	"github.com/groupvit/groupvit/internal/weights"
)

// A run with averages, in parts, that is stopped and continued ends with the bits
// of one that was not; its checkpoints are the averages.
func TestEMAResumes(t *testing.T) {
	data := traintest.Scenes(t, 40)
	settings := func() *settings.Loaded {
		return traintest.Load(t, "steps=6", "threads=1", "optimizer.ema=0.8", "micro_batch=8", "output.checkpoint_every=2", "output.keep=9", "data.train="+data)
	}
	_, whole, err := watched(t, context.Background(), Options{Loaded: settings(), Output: filepath.Join(t.TempDir(), "whole")})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "parts")
	ctx, cancel := context.WithCancel(context.Background())
	_, _, err = watched(t, ctx, Options{Loaded: settings(), Output: dir, afterStep: func(step int, _ map[string]float64) {
		if step == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	_, second, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir, Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	a, err := weights.Open(whole.Final)
	if err != nil {
		t.Fatal(err)
	}
	b, err := weights.Open(second.Final)
	if err != nil || a.SHA256 != b.SHA256 {
		t.Errorf("the final weights differ: %v", err)
	}
	raw, err := weights.ReadTensors(filepath.Join(dir, checkpointsDir, "6", stepper.OptimizerFile))
	if err != nil {
		t.Fatal(err)
	}
	const name = "vision_model.layernorm.weight"
	if w := raw["w/"+name].Floats; len(w) == 0 || slices.Equal(w, b.Tensors[name]) {
		t.Error("the final model is not the average")
	}
}

// Frozen tensors keep their bits, running statistics too; the others change.
func TestFreeze(t *testing.T) {
	for _, micro := range []string{"micro_batch=0", "micro_batch=8"} {
		l := traintest.Load(t, "batch=16", "steps=2", "optimizer.freeze=['text_*']", micro, "data.train="+traintest.Scenes(t, 20))
		_, result, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run")})
		if err != nil {
			t.Fatal(err)
		}
		m, err := weights.Open(result.Final)
		if err != nil {
			t.Fatal(err)
		}
		start := network.Initialize(l.Settings.Model, l.Settings.Seed)
		for name, values := range m.Tensors {
			if same := slices.Equal(values, start[name]); same != strings.HasPrefix(name, "text_") {
				t.Errorf("%s, %s: as at the start: %v", micro, name, same)
			}
		}
	}
}

// Each option of the loss changes the first step's loss: it is not forgotten on
// the way to the graph.
func TestLossOptionsReachTheStep(t *testing.T) {
	data := traintest.Scenes(t, 20)
	first := func(changes ...string) map[string]float64 {
		t.Helper()
		l := traintest.Load(t, append(changes, "steps=1", "data.train="+data)...)
		var got map[string]float64
		_, _, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run"), Progress: new(bytes.Buffer),
			afterStep: func(_ int, m map[string]float64) { got = m }})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	plain := first()
	half := first("loss.nouns_weight=0.5")
	if want := plain[stepper.MetricImageText] + plain[stepper.MetricNouns]/2; math.Abs(half[stepper.MetricLoss]-want) > 1e-5 {
		t.Errorf("half the noun loss: %g, want %g", half[stepper.MetricLoss], want)
	}
	if soft := first("loss.soft_targets=nouns"); soft[stepper.MetricImageText] == plain[stepper.MetricImageText] {
		t.Error("soft targets change nothing")
	}
	sigmoid := first("loss.kind=sigmoid", "model.variant.logit_bias=true", "model.temperature=0.1")
	// With a bias of -10 nearly only the own pair counts: about 10 - 10·cosine.
	if v := sigmoid[stepper.MetricImageText]; v < 1 || v > 20 || v == plain[stepper.MetricImageText] {
		t.Errorf("sigmoid loss %g", v)
	}
}
