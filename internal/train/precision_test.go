package train

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// In bf16 the losses of a run stay close to those in float32, and are not the same:
// the products are rounded.
func TestBF16Training(t *testing.T) {
	if !slices.Contains(engine.Precisions(), engine.BF16) {
		t.Skip("this CPU has no AVX512-BF16")
	}
	data := traintest.Scenes(t, 128)
	for recipe, changes := range map[string][]string{
		"smoke":  {"batch=64", "steps=30"},
		"scenes": {"batch=32", "steps=40"},
	} {
		t.Run(recipe, func(t *testing.T) {
			losses := map[string][]float64{}
			for _, precision := range []string{engine.Float32, engine.BF16} {
				l := traintest.LoadRecipe(t, recipe, append(changes, "engine=simd", "data.train="+data, "precision="+precision, "measure.pictures=0")...)
				var err error
				if losses[precision], _, err = watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), precision)}); err != nil {
					t.Fatal(err)
				}
			}
			exact, rounded := losses[engine.Float32], losses[engine.BF16]
			if slices.Equal(exact, rounded) {
				t.Error("the losses are the same: nothing is rounded")
			}
			worst := 0.0
			for i, v := range exact {
				worst = max(worst, math.Abs(rounded[i]-v)/v)
			}
			if worst > 0.05 {
				t.Errorf("losses differ by up to %.1f %%", 100*worst)
			}
			t.Logf("losses differ by up to %.2f %%; they fall from %.3f to %.3f and %.3f", 100*worst, exact[0], exact[len(exact)-1], rounded[len(rounded)-1])
		})
	}
}

// An engine without bf16 says so before anything is trained.
func TestBF16NeedsItsEngine(t *testing.T) {
	l := traintest.Load(t, "precision=bf16", "engine=go", "data.train="+traintest.Scenes(t, 20))
	_, _, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run")})
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if _, err := settings.Load("", nil, []settings.Override{{Key: "precision", Value: "int8", Origin: "test"}}); !errors.Is(err, settings.ErrSettings) {
		t.Errorf("int8: %v", err)
	}
}
