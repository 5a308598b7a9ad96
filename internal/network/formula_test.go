package network_test

import (
	"math"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
)

// hashed is r(k, j), the number that the fixtures' weights and pictures are made
// of, in [-0.5, 0.5); tools/reference/formula.py computes the same.
func hashed(k, j uint32) float64 {
	u := k*2654435761 + j*40503 + 1
	u ^= u >> 15
	u *= 2246822519
	u ^= u >> 13
	return float64(u)/(1<<32) - 0.5
}

// formulaTensor is the k-th tensor of the formula, with float32's rounding.
func formulaTensor(name string, k int, shape []int) array {
	a := array{shape: shape}
	n := 1
	for _, d := range shape {
		n *= d
	}
	a.f = make([]float64, n)
	value := formulaRule(name, shape, n)
	for j := range a.f {
		a.f[j] = float64(float32(value(hashed(uint32(k), uint32(j)))))
	}
	return a
}

func formulaRule(name string, shape []int, n int) func(r float64) float64 {
	has := func(ends ...string) bool {
		for _, e := range ends {
			if strings.HasSuffix(name, e) {
				return true
			}
		}
		return false
	}
	gain := 1.5
	switch {
	case name == network.LogitScale:
		return func(float64) float64 { return 2.5 }
	case has("running_var"):
		return func(r float64) float64 { return 1 + 0.6*r }
	case has("running_mean"):
		return func(r float64) float64 { return 0.4 * r }
	case has("token_embedding.weight", "position_embedding.weight", "position_embeddings", "group_token"):
		return func(r float64) float64 { return 2 * r }
	case len(shape) == 1 && has(".weight"):
		return func(r float64) float64 { return 1 + 0.4*r }
	case len(shape) == 1:
		return func(r float64) float64 { return 0.2 * r }
	case has("assign.q_proj.weight", "assign.k_proj.weight"):
		gain = 4
	}
	scale := gain * math.Sqrt(12/float64(n/shape[0]))
	return func(r float64) float64 { return scale * r }
}

// formulaWeights fills a network by the formula. The multi-label temperature,
// which the port lacks, has no index.
func formulaWeights(c network.Config) map[string]array {
	out, k := map[string]array{}, 0
	for _, p := range c.Params() {
		if p.Name == network.NounLogitScale {
			continue
		}
		out[p.Name] = formulaTensor(p.Name, k, p.Shape)
		k++
	}
	return out
}

// formulaPictures are pictures first, first+1, ... of the formula: coloured
// squares of 32 pixels with noise, [count, 3, h, w].
func formulaPictures(first, count, h, w int) array {
	a := array{shape: []int{count, 3, h, w}}
	for b := first; b < first+count; b++ {
		j := uint32(0)
		for c := range 3 {
			for y := range h {
				for x := range w {
					square := hashed(uint32(100000+b), uint32((c*64+y/32)*64+x/32))
					v := 3*square + hashed(uint32(200000+b), j)
					a.f, j = append(a.f, float64(float32(v))), j+1
				}
			}
		}
	}
	return a
}

func TestFormula(t *testing.T) {
	for _, c := range []struct {
		k, j uint32
		want float64
	}{{0, 0, 0.0232}, {0, 1, -0.1544}, {0, 2, -0.4246}, {5, 0, -0.2297}, {5, 1, 0.4791}} {
		if got := hashed(c.k, c.j); math.Abs(got-c.want) > 5e-5 {
			t.Errorf("r(%d, %d) = %.4f, want %.4f", c.k, c.j, got, c.want)
		}
	}
	stored := readTensors(t, "tiny", "model.safetensors")
	for name, a := range formulaWeights(tinyConfig(t)) {
		want, ok := stored[name]
		if !ok {
			t.Errorf("the port has no tensor %s", name)
			continue
		}
		if strings.HasSuffix(name, "assign.q_proj.weight") || strings.HasSuffix(name, "assign.k_proj.weight") {
			continue // softer in the tiny network
		}
		checkClose(t, name, a, want, 1e-7)
	}
}
