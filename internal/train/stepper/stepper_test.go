package stepper

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// Averages follow the weights as their formula says, whole and in parts, and are
// what Weights returns.
func TestEMA(t *testing.T) {
	for _, micro := range []string{"micro_batch=0", "micro_batch=4"} {
		t.Run(micro, func(t *testing.T) {
			l := traintest.Load(t, "batch=8", "optimizer.ema=0.9", micro, "data.train="+traintest.Scenes(t, 16))
			o := traintest.LoaderOptions(t, l.Settings)
			o.MicroBatch, o.TwoPasses = 0, false
			loader, err := pairs.Open(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer loader.Close()
			s, err := New(enginetest.New(t, engine.Auto, 1), l.Settings, network.Initialize(l.Settings.Model, 1))
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

// Captions that fit several pictures: equal texts wholly, shared nouns in part.
func TestCaptionTargets(t *testing.T) {
	b := &pairs.Batch{
		Size: 4, U: 5, Texts: []string{"A  cat on grass", "a cat on grass", "a dog on grass", "a kite"},
		Nouns:   []string{"cat", "grass", "dog", "kite", ""},
		Targets: []float32{1, 1, 0, 0, 1 /**/, 2, 1, 0, 0, 1 /**/, 0, 1, 1, 0, 1 /**/, 0, 0, 0, 1, 0},
	}
	const third = float32(1. / 3)
	for kind, want := range map[string][]float32{
		settings.SoftEqual: {1, 1, 0, 0 /**/, 1, 1, 0, 0 /**/, 0, 0, 1, 0 /**/, 0, 0, 0, 1},
		// cat and grass, dog and grass: one noun of three is common.
		settings.SoftNouns: {1, 1, 0.6 * third, 0 /**/, 1, 1, 0.6 * third, 0 /**/, 0.6 * third, 0.6 * third, 1, 0 /**/, 0, 0, 0, 1},
	} {
		got := fitsOfBatch(settings.Loss{SoftTargets: kind, SoftWeight: 0.6}, b).rows(0, 4)
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
	if got := fitsOfBatch(settings.Loss{SoftTargets: settings.SoftNouns, SoftWeight: 0.6}, b).rows(0, 4)[1]; math.Abs(float64(got)-0.6) > 1e-6 {
		t.Errorf("the same noun in two prompts: %g", got)
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
