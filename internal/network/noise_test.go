package network_test

import (
	"fmt"
	"math"
	"regexp"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

var blockOutput = regexp.MustCompile(`stages\.(\d)\.layers\.(\d)\.(self_attn\.out_proj|mlp\.fc2)\.`)

// TestDropPathRates: with every random number equal to u, training is evaluation
// with the output layers of block i multiplied by 0 where u ≥ 1 − pᵢ, and by
// 1/(1 − pᵢ) elsewhere; pᵢ = rate·i/(blocks − 1), over all stages.
func TestDropPathRates(t *testing.T) {
	c := goldenConfig() // blocks: two, one, one
	c.DropPath = 0.3
	first := map[string]int{"0": 0, "1": 2, "2": 3}
	b := enginetest.New(t, engine.Go, 1)
	pooled := func(params map[string]array, m network.Mode, u float64) array {
		return runGraph(t, b, dtypes.Float64, params, []array{goldenPicture(1000, 32, 32)},
			func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
				if m.Training {
					m.Random = func(s shapes.Shape) *graph.Node {
						return graph.BroadcastToDims(graph.Scalar(in[0].Graph(), s.DType, u), s.Dimensions...)
					}
				}
				return map[string]*graph.Node{"pooled": network.Image(w, c, in[0], m).Pooled}
			})["pooled"]
	}
	// 1 − p is 1, 0.9, 0.8, 0.7 for the four blocks.
	for _, u := range []float64{0, 0.65, 0.75, 0.85, 0.95} {
		t.Run(fmt.Sprint(u), func(t *testing.T) {
			params := goldenWeights(t, c)
			got := pooled(params, network.Mode{Training: true}, u)
			for name, a := range params {
				m := blockOutput.FindStringSubmatch(name)
				if m == nil {
					continue
				}
				keep := 1 - 0.1*float64(first[m[1]]+int(m[2][0]-'0'))
				factor := 1 / keep
				if u >= keep {
					factor = 0
				}
				scaled := array{shape: a.shape}
				for _, v := range a.f {
					scaled.f = append(scaled.f, v*factor)
				}
				params[name] = scaled
			}
			checkClose(t, "pooled", got, pooled(params, network.Mode{}, 0), 1e-12)
		})
	}
}

// TestDropPathIsPerPicture: a picture of the batch is dropped or kept whole, and
// its neighbours go on as if it were not there.
func TestDropPathIsPerPicture(t *testing.T) {
	c := tinyConfig(t)
	c.DropPath = 0.5
	pixels := formulaPictures(20, 2, 32, 32)
	drawn := func(u ...float64) array {
		return tinyRun(t, func(to *network.Config, _ map[string]array) { *to = c }, []array{pixels, {shape: []int{2}, f: u}},
			func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node {
				random := func(s shapes.Shape) *graph.Node {
					return graph.BroadcastToDims(graph.Reshape(in[1], 2, 1, 1), s.Dimensions...)
				}
				return map[string]*graph.Node{"pooled": network.Image(w, c, in[0], network.Mode{Training: true, Random: random}).Pooled}
			})["pooled"]
	}
	both, mixed := drawn(0.1, 0.1), drawn(0.1, 0.9)
	d := len(both.f) / 2
	checkClose(t, "the kept picture", array{f: mixed.f[:d]}, array{f: both.f[:d]}, 1e-12)
	if difference(array{f: mixed.f[d:]}, array{f: both.f[d:]}) < 1e-3 {
		t.Error("the other picture is not dropped")
	}
}

// TestGumbelNoise: in training a token goes to the group where the logarithm of
// its soft assignment plus −ln(−ln u) is largest, its gradient is that of the
// noisy softmax, and the soft assignment beside it has no noise. The soft
// assignment's logarithm is the logits but for a constant a token, which changes
// neither.
func TestGumbelNoise(t *testing.T) {
	c := goldenConfig()
	c.DropPath = 0
	const g, l = 4, 16
	u := array{shape: []int{1, g, l}, f: make([]float64, g*l)}
	weight := array{shape: []int{1, g, l}, f: make([]float64, g*l)}
	for j := range u.f {
		u.f[j] = hashed(3000, uint32(j)) + 0.5
		weight.f[j] = hashed(3001, uint32(j))
	}
	const by = "vision_model.encoder.stages.0.downsample.assign.q_proj.weight"
	pass := func(training bool) map[string]array {
		return runGraph(t, enginetest.New(t, engine.Go, 1), dtypes.Float64, goldenWeights(t, c),
			[]array{goldenPicture(1000, 32, 32), u, weight},
			func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
				random := func(s shapes.Shape) *graph.Node {
					if s.Size() == g*l {
						return in[1]
					}
					return graph.BroadcastToDims(graph.Scalar(in[0].Graph(), s.DType, 0.5), s.Dimensions...)
				}
				stage := network.Image(w, c, in[0], network.Mode{Training: training, Random: random}).Stages[0]
				noise := graph.Neg(graph.Log(graph.Neg(graph.Log(in[1]))))
				noisy := graph.Softmax(graph.Add(graph.Log(stage.Soft), noise), 1)
				gradient := func(m *graph.Node) *graph.Node {
					return graph.Gradient(graph.ReduceAllSum(graph.Mul(m, in[2])), w(by))[0]
				}
				return map[string]*graph.Node{"soft": stage.Soft, "hard": stage.Hard, "gradient": gradient(stage.Hard), "want": gradient(noisy)}
			})
	}
	got, quiet := pass(true), pass(false)
	checkClose(t, "soft assignment", got["soft"], quiet["soft"], 0)
	checkClose(t, "gradient", got["gradient"], got["want"], 1e-9)
	moved := 0
	for n := range l {
		best, calm, noisy := 0, 0, [g]float64{}
		for i := range g {
			noisy[i] = math.Log(got["soft"].f[i*l+n]) - math.Log(-math.Log(u.f[i*l+n]))
			if noisy[i] > noisy[best] {
				best = i
			}
			if got["soft"].f[i*l+n] > got["soft"].f[calm*l+n] {
				calm = i
			}
		}
		if best != calm {
			moved++
		}
		for i := range g {
			want := 0.0
			if i == best {
				want = 1
			}
			if math.Abs(got["hard"].f[i*l+n]-want) > 1e-12 {
				t.Errorf("token %d, group %d: %g, want %g", n, i, got["hard"].f[i*l+n], want)
			}
		}
	}
	if moved == 0 {
		t.Error("the noise moves no token: it tests nothing")
	}
	t.Logf("the noise moves %d of %d tokens", moved, l)
}
