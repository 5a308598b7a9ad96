package stepper

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// AdamW on an engine follows the same computation in float64.
func TestAdamW(t *testing.T) {
	o := settings.Optimizer{LearningRate: 0.01, Betas: [2]float64{0.9, 0.98}, Epsilon: 1e-8, WeightDecay: 0.05}
	for _, decay := range []bool{true, false} {
		b := enginetest.New(t, engine.Go, 1)
		exec, err := NewExec(b, func(in []*Node) []*Node {
			w, m, v := adamW(o, in[0], in[1], in[2], in[3], in[4], in[5], in[6], decay)
			return []*Node{w, m, v}
		})
		if err != nil {
			t.Fatal(err)
		}
		const n = 5
		w := []float32{1, -2, 0.5, 3e-4, 0}
		m, v := make([]float32, n), make([]float32, n)
		want, wantM, wantV := []float64{1, -2, float64(w[2]), float64(w[3]), 0}, make([]float64, n), make([]float64, n)
		for step := 1; step <= 20; step++ {
			g := make([]float32, n)
			rate := 0.01 / float64(step)
			first, second := o.Corrections(step)
			for i := range g {
				g[i] = float32(math.Sin(float64(step*n + i)))
				x := float64(g[i])
				wantM[i] = 0.9*wantM[i] + 0.1*x
				wantV[i] = 0.98*wantV[i] + 0.02*x*x
				if decay {
					want[i] *= 1 - rate*0.05
				}
				mean, variance := wantM[i]/(1-math.Pow(0.9, float64(step))), wantV[i]/(1-math.Pow(0.98, float64(step)))
				want[i] -= rate * mean / (math.Sqrt(variance) + 1e-8)
			}
			out := exec.MustCall(w, m, v, g, float32(rate), float32(first), float32(second))
			w, m, v = tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1]), tensors.MustCopyFlatData[float32](out[2])
		}
		for i := range w {
			if math.Abs(float64(w[i])-want[i]) > 1e-6 {
				t.Errorf("decay %v: weight %d is %g, want %g", decay, i, w[i], want[i])
			}
		}
	}
}

func TestClip(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	for _, c := range []struct {
		limit float64
		want  []float32
	}{{0, []float32{3, 0, 4}}, {10, []float32{3, 0, 4}}, {1, []float32{0.6, 0, 0.8}}} {
		exec, err := NewExec(b, func(in []*Node) []*Node {
			norm, scaled := clip(in, c.limit)
			return append(scaled, norm)
		})
		if err != nil {
			t.Fatal(err)
		}
		out := exec.MustCall([]float32{3, 0}, []float32{4})
		got := append(tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])...)
		for i := range got {
			if math.Abs(float64(got[i]-c.want[i])) > 1e-5 {
				t.Errorf("limit %g: %v, want %v", c.limit, got, c.want)
			}
		}
		if norm := tensors.ToScalar[float32](out[2]); norm != 5 {
			t.Errorf("norm %g, want 5", norm)
		}
	}
}

// The official code has 138 tensors that decay and 263 that do not; the port's
// names split 24 query-key-value weights and as many biases into three.
func TestParameterGroups(t *testing.T) {
	count := func(noDecay ...string) (decayed, not int) {
		o := settings.Optimizer{WeightDecay: 0.05, NoDecay: noDecay}
		for _, p := range network.Default().Params() {
			switch {
			case !p.Trainable:
			case o.Decays(p):
				decayed++
			default:
				not++
			}
		}
		return decayed, not
	}
	if d, n := count(); d != 138+48 || n != 263+48 {
		t.Errorf("%d decay and %d do not, want 186 and 311", d, n)
	}
	for kind, tensors := range map[string]int{settings.Positions: 2, settings.GroupTokens: 2, settings.Temperatures: 2, settings.Embeddings: 1} {
		if d, _ := count(kind); d != 186-tensors {
			t.Errorf("%s takes out %d tensors, want %d", kind, 186-d, tensors)
		}
	}
}
