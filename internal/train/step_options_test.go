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

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/weights"
)

// Averages follow the weights as their formula says, whole and in parts, and are
// what Weights returns.
func TestEMA(t *testing.T) {
	for _, micro := range []string{"micro_batch=0", "micro_batch=4"} {
		t.Run(micro, func(t *testing.T) {
			l := load(t, "batch=8", "optimizer.ema=0.9", micro, "data.train="+scenes(t, 16))
			o := must(l.Settings.pairsOptions())
			o.MicroBatch, o.TwoPasses = 0, false
			loader, err := pairs.Open(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer loader.Close()
			s, err := NewStepper(enginetest.New(t, engine.Auto, 1), l.Settings, network.Initialize(l.Settings.Model, 1))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			names := []string{"vision_model.layernorm.weight", "text_projection.1.running_mean", network.LogitScale}
			want := map[string][]float64{}
			for _, name := range names {
				for _, v := range network.Initialize(l.Settings.Model, 1)[name] {
					want[name] = append(want[name], float64(v))
				}
			}
			for step := range 12 {
				batch, err := loader.Next(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if _, ok, err := s.Step(batch, step, 1e-2); err != nil || !ok {
					t.Fatal(ok, err)
				}
				decay := min(0.9, float64(step+2)/float64(step+11))
				for _, name := range names {
					now, err := s.read("/" + name)
					if err != nil {
						t.Fatal(err)
					}
					for i, v := range now {
						want[name][i] = decay*want[name][i] + (1-decay)*float64(v)
					}
				}
			}
			got, err := s.Weights()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				raw, _ := s.read("/" + name)
				for i, v := range want[name] {
					if math.Abs(float64(got[name][i])-v) > 1e-5*max(1, math.Abs(v)) {
						t.Fatalf("%s[%d] is %g, want %g", name, i, got[name][i], v)
					}
				}
				if slices.Equal(raw, got[name]) {
					t.Errorf("%s: the average is the weight itself", name)
				}
			}
		})
	}
}

// A run with averages, in parts, that is stopped and continued ends with the bits
// of one that was not; its checkpoints are the averages.
func TestEMAResumes(t *testing.T) {
	data := scenes(t, 40)
	settings := func() *Loaded {
		return load(t, "steps=6", "threads=1", "optimizer.ema=0.8", "micro_batch=8", "output.checkpoint_every=2", "output.keep=9", "data.train="+data)
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
	raw, err := weights.ReadTensors(filepath.Join(dir, checkpointsDir, "6", optimizerFile))
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
		l := load(t, "batch=16", "steps=2", "optimizer.freeze=['text_*']", micro, "data.train="+scenes(t, 20))
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

// Captions that fit several pictures: equal texts wholly, shared nouns in part.
func TestCaptionTargets(t *testing.T) {
	b := &pairs.Batch{
		Size: 4, U: 5, Texts: []string{"A  cat on grass", "a cat on grass", "a dog on grass", "a kite"},
		Nouns:   []string{"cat", "grass", "dog", "kite", ""},
		Targets: []float32{1, 1, 0, 0, 1 /**/, 2, 1, 0, 0, 1 /**/, 0, 1, 1, 0, 1 /**/, 0, 0, 0, 1, 0},
	}
	const third = float32(1. / 3)
	for kind, want := range map[string][]float32{
		softEqual: {1, 1, 0, 0 /**/, 1, 1, 0, 0 /**/, 0, 0, 1, 0 /**/, 0, 0, 0, 1},
		// cat and grass, dog and grass: one noun of three is common.
		softNouns: {1, 1, 0.6 * third, 0 /**/, 1, 1, 0.6 * third, 0 /**/, 0.6 * third, 0.6 * third, 1, 0 /**/, 0, 0, 0, 1},
	} {
		got := Loss{SoftTargets: kind, SoftWeight: 0.6}.fits(b).rows(0, 4)
		for i, v := range want {
			if math.Abs(float64(got[i]-v)) > 1e-6 {
				t.Errorf("%s: element %d of %v is not %g", kind, i, got, v)
			}
		}
	}
	// Prompts that stand once a picture, as in the paper, name nouns twice.
	b.Nouns = []string{"cat", "cat", "dog", "kite", ""}
	b.Targets = []float32{1, 0, 0, 0, 0 /**/, 0, 1, 0, 0, 0 /**/, 0, 0, 1, 0, 0 /**/, 0, 0, 0, 1, 0}
	b.Texts[1] = "another"
	if got := (Loss{SoftTargets: softNouns, SoftWeight: 0.6}).fits(b).rows(0, 4)[1]; math.Abs(float64(got)-0.6) > 1e-6 {
		t.Errorf("the same noun in two prompts: %g", got)
	}
}

// Each option of the loss changes the first step's loss: it is not forgotten on
// the way to the graph.
func TestLossOptionsReachTheStep(t *testing.T) {
	data := scenes(t, 20)
	first := func(changes ...string) map[string]float64 {
		t.Helper()
		l := load(t, append(changes, "steps=1", "data.train="+data)...)
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
	if want := plain[metricImageText] + plain[metricNouns]/2; math.Abs(half[metricLoss]-want) > 1e-5 {
		t.Errorf("half the noun loss: %g, want %g", half[metricLoss], want)
	}
	if soft := first("loss.soft_targets=nouns"); soft[metricImageText] == plain[metricImageText] {
		t.Error("soft targets change nothing")
	}
	sigmoid := first("loss.kind=sigmoid", "model.variant.logit_bias=true", "model.temperature=0.1")
	// With a bias of -10 nearly only the own pair counts: about 10 - 10·cosine.
	if v := sigmoid[metricImageText]; v < 1 || v > 20 || v == plain[metricImageText] {
		t.Errorf("sigmoid loss %g", v)
	}
}

// Settings that cannot be are refused with the key and what mends them.
func TestBadStepSettings(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"micro_batch: -1", "micro_batch"},
		{"loss: {kind: hinge}", "loss.kind"}, {"loss: {kind: sigmoid}", "logit_bias"},
		{"loss: {soft_targets: all}", "loss.soft_targets"}, {"loss: {soft_weight: 2}", "loss.soft_weight"},
		{"loss: {nouns_weight: -1}", "loss.nouns_weight"}, {"optimizer: {ema: 1}", "optimizer.ema"},
		{"optimizer: {freeze: [nothing]}", "matches none"}, {"optimizer: {freeze: ['[']}", "optimizer.freeze"},
		{"optimizer: {freeze: ['*']}", "nothing is left"}, {"schedule: {name: step}", "schedule.name"},
		{"data: {train_num_samples: -1}", "data.train_num_samples"},
	} {
		_, err := Load(write(t, map[string]string{"r.yaml": c.change + "\n"}), nil, nil)
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an ErrSettings with %q", c.change, err, c.want)
		}
	}
	_, err := Load("../../recipes/photos.yaml", nil, []Override{{"micro_batch", "16", "--micro-batch"}})
	if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), "BatchNorm") {
		t.Errorf("a stem with BatchNorm in parts: %v", err)
	}
}

// Random numbers are uniform, and a part's are those of the whole batch.
func TestRandomNumbers(t *testing.T) {
	const count, pictures = 100, 40
	whole, part := make([]float32, count*pictures), make([]float32, count*8)
	fillRandom(whole, count, 3, 7, 0)
	fillRandom(part, count, 3, 7, 16)
	if !slices.Equal(part, whole[16*count:24*count]) {
		t.Error("a part's numbers are others")
	}
	sum, square := 0.0, 0.0
	for _, v := range whole {
		if v < 0 || v >= 1 {
			t.Fatal(v)
		}
		sum, square = sum+float64(v), square+float64(v)*float64(v)
	}
	n := float64(len(whole))
	if math.Abs(sum/n-0.5) > 0.02 || math.Abs(square/n-1./3) > 0.02 {
		t.Errorf("mean %g, of squares %g", sum/n, square/n)
	}
	for _, other := range [][2]int{{4, 7}, {3, 8}} {
		fillRandom(part, count, uint64(other[0]), other[1], 16)
		if slices.Equal(part, whole[16*count:24*count]) {
			t.Error("another seed or step has the same numbers")
		}
	}
}
