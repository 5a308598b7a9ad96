package stepper

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

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
			changes = append(changes, "batch=12", "optimizer.clip=0", "data.train="+traintest.Scenes(t, 24))
			enginetest.Each(t, func(t *testing.T, backend compute.Backend) {
				exact := stepsOf(t, backend, traintest.Load(t, changes...))
				rounded := stepsOf(t, backend, traintest.Load(t, append(changes, "precision=bf16")...))
				for i, m := range exact.metrics {
					got, want := rounded.metrics[i][MetricLoss], m[MetricLoss]
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
