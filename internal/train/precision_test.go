package train

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
)

// In bf16 the losses of a run stay close to those in float32, and are not the same:
// the products are rounded.
func TestBF16Training(t *testing.T) {
	if !slices.Contains(engine.Precisions(), engine.BF16) {
		t.Skip("this CPU has no AVX512-BF16")
	}
	data := scenes(t, 128)
	for recipe, changes := range map[string][]string{
		"smoke":  {"batch=64", "steps=30"},
		"scenes": {"batch=32", "steps=40"},
	} {
		t.Run(recipe, func(t *testing.T) {
			losses := map[string][]float64{}
			for _, precision := range []string{engine.Float32, engine.BF16} {
				l, err := Load("../../recipes/"+recipe+".yaml", nil, overridesOf(append(changes, "engine=simd", "data.train="+data, "precision="+precision, "measure.pictures=0")))
				if err != nil {
					t.Fatal(err)
				}
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

// Engines that do not round by themselves get graphs that do: the gradient of a step
// is close to that in float32, and not the same, whole and in parts.
func TestBF16Graph(t *testing.T) {
	for name, changes := range map[string][]string{
		"paper": nil, "in parts": {"micro_batch=5"},
		"groups and patches, mean over words": {"model.depths=[1]", "model.heads=[2]", "model.group_tokens=[6]", "model.output_groups=[6]",
			"model.variant.soft_assign=true", "model.variant.patch_embeddings=local", "model.variant.text_pooling=mean",
			"model.variant.nouns_against=[groups,patches]", "loss.teach_weight=1"},
	} {
		t.Run(name, func(t *testing.T) {
			changes = append(changes, "batch=12", "optimizer.clip=0", "data.train="+scenes(t, 24))
			enginetest.Each(t, func(t *testing.T, backend compute.Backend) {
				exact := stepsOf(t, backend, load(t, changes...))
				rounded := stepsOf(t, backend, load(t, append(changes, "precision=bf16")...))
				for i, m := range exact.metrics {
					got, want := rounded.metrics[i][metricLoss], m[metricLoss]
					if d := math.Abs(got-want) / want; !(d < 0.03) || d == 0 {
						t.Errorf("step %d: loss %g, in float32 %g", i, got, want)
					}
				}
				var product, a, b float64
				for path, values := range exact.state {
					if !strings.HasPrefix(path, firstMoment) {
						continue
					}
					for i, v := range values {
						x, y := float64(v), float64(rounded.state[path][i])
						product, a, b = product+x*y, a+x*x, b+y*y
					}
				}
				cosine := product / math.Sqrt(a*b)
				if !(cosine > 0.98) || math.Abs(math.Log(a/b)) > 0.2 {
					t.Errorf("the gradient's cosine with that in float32 is %g, the norms %g and %g", cosine, math.Sqrt(b), math.Sqrt(a))
				}
				t.Logf("the gradient's cosine with that in float32 is %.4f", cosine)
			})
		})
	}
}

func overridesOf(changes []string) []Override {
	var out []Override
	for _, c := range changes {
		for i := range c {
			if c[i] == '=' {
				out = append(out, Override{c[:i], c[i+1:], "test"})
				break
			}
		}
	}
	return out
}

// An engine without bf16 says so before anything is trained.
func TestBF16NeedsItsEngine(t *testing.T) {
	l := load(t, "precision=bf16", "engine=go", "data.train="+scenes(t, 20))
	_, _, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run")})
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if _, err := Load("", nil, []Override{{"precision", "int8", "test"}}); !errors.Is(err, ErrSettings) {
		t.Errorf("int8: %v", err)
	}
}
