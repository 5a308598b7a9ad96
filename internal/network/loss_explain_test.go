package network_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// partsCase is three pictures of four patches and two groups, and five words: raw
// rows before normalisation, and logits of the assignment.
type partsCase struct {
	patches, groups, prompts, logits, theta []float64
	targets, known, explains                []float64 // [3, 5]; the last two may be nil
}

const partsWidth = 6

func drawParts() partsCase {
	draw := func(n int, step, phase float64) []float64 {
		return wave(n, 1, func(i float64) float64 { return math.Sin(step*i*(1+0.013*i) + phase) }).f
	}
	return partsCase{
		patches: draw(3*4*partsWidth, 0.9, 0.2), groups: draw(3*2*partsWidth, 0.7, 1), prompts: draw(5*partsWidth, 0.37, 2),
		logits: draw(3*2*4, 1.3, 0), theta: []float64{1.1},
		// Nobody has the last word; the second picture's words are not all known; the
		// third has none.
		targets:  []float64{2, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0},
		known:    []float64{1, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1},
		explains: []float64{1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0},
	}
}

// shares returns for each picture the logarithm of each word's share of the
// softmax over all words that count, by part; −∞ for those that do not.
func (k partsCase) shares(parts []float64, only func(i, u int) bool) [3]rows {
	var out [3]rows
	words, n := unitRows(k.prompts, partsWidth), len(parts)/partsWidth/3
	for i := range out {
		for _, z := range unitRows(parts, partsWidth)[i*n : (i+1)*n] {
			var logits []float64
			for u, w := range words {
				if only(i, u) {
					logits = append(logits, math.Exp(k.theta[0])*inner(z, w))
				} else {
					logits = append(logits, math.Inf(-1))
				}
			}
			norm := logSumExp(logits)
			for u := range logits {
				logits[u] -= norm
			}
			out[i] = append(out[i], logits)
		}
	}
	return out
}

func (k partsCase) own(i, u int) bool {
	inBatch := k.targets[u]+k.targets[5+u]+k.targets[10+u] > 0
	if k.explains == nil {
		return k.targets[5*i+u] > 0
	}
	return inBatch && k.explains[5*i+u] > 0
}

func (k partsCase) competes(i, u int) bool {
	inBatch := k.targets[u]+k.targets[5+u]+k.targets[10+u] > 0
	return inBatch && (k.known == nil || k.known[5*i+u] > 0 || k.own(i, u))
}

// explain and teach are the losses by their definitions; the third picture has no
// word and does not count.
func (k partsCase) explain() float64 {
	sum := 0.0
	for i, picture := range k.shares(k.patches, k.competes) {
		for _, logs := range picture {
			p := 0.0
			for u, log := range logs {
				if k.own(i, u) {
					p += math.Exp(log)
				}
			}
			if i < 2 {
				sum -= math.Log(p)
			}
		}
	}
	return sum / 8
}

func (k partsCase) teach(teacher partsCase) float64 {
	sum, groups := 0.0, k.shares(k.groups, k.competes)
	for i, picture := range teacher.shares(teacher.patches, k.own) {
		for n, logs := range picture {
			if i == 2 {
				continue
			}
			soft := softmax([]float64{k.logits[8*i+n], k.logits[8*i+4+n]})
			for u, log := range logs {
				if k.own(i, u) {
					pupil := soft[0]*math.Exp(groups[i][0][u]) + soft[1]*math.Exp(groups[i][1][u])
					sum -= math.Exp(log) * math.Log(pupil+1e-6)
				}
			}
		}
	}
	return sum / 8
}

// parts names what the losses are computed of.
func (k *partsCase) parts() map[string]*[]float64 {
	return map[string]*[]float64{"patches": &k.patches, "groups": &k.groups, "prompts": &k.prompts, "logits": &k.logits, "theta": &k.theta}
}

// graph returns the loss and its gradients by each part.
func (k partsCase) graph(t *testing.T, b compute.Backend, teach bool) map[string]array {
	inputs := []array{
		{shape: []int{3, 4, partsWidth}, f: k.patches}, {shape: []int{3, 2, partsWidth}, f: k.groups}, {shape: []int{5, partsWidth}, f: k.prompts},
		{shape: []int{3, 2, 4}, f: k.logits}, {shape: []int{}, f: k.theta}, {shape: []int{3, 5}, f: k.targets},
	}
	for _, f := range [][]float64{k.known, k.explains} {
		if f != nil {
			inputs = append(inputs, array{shape: []int{3, 5}, f: f})
		}
	}
	return runGraph(t, b, dtypes.Float64, nil, inputs, func(_ network.Weights, in []*graph.Node) map[string]*graph.Node {
		var known, explains *graph.Node
		if k.known != nil {
			known, explains = in[6], in[7]
		}
		patches, groups, prompts, s := normalised(in[0]), normalised(in[1]), normalised(in[2]), graph.Exp(in[4])
		loss := network.ExplainLoss(patches, prompts, s, in[5], known, explains)
		if teach {
			loss = network.TeachLoss(patches, groups, graph.Softmax(in[3], 1), prompts, s, in[5], known, explains)
		}
		out := map[string]*graph.Node{"loss": loss}
		for i, g := range graph.Gradient(loss, in[:5]...) {
			out[[]string{"patches", "groups", "prompts", "logits", "theta"}[i]] = g
		}
		return out
	})
}

// TestLossesOfParts compares both losses with their definitions and their
// gradients with differences of them; what teaches has none.
func TestLossesOfParts(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	full, plain := drawParts(), drawParts()
	plain.known, plain.explains = nil, nil
	for name, k := range map[string]partsCase{"known and explained": full, "targets alone": plain} {
		for _, teach := range []bool{false, true} {
			loss := func(k, teacher partsCase) float64 {
				if teach {
					return k.teach(teacher)
				}
				return k.explain()
			}
			got := k.graph(t, b, teach)
			same(t, name, got["loss"].f[0], loss(k, k))
			for part, values := range k.parts() {
				constant := teach && (part == "patches" || part == "prompts" || part == "theta") || !teach && (part == "groups" || part == "logits")
				for j := range *values {
					const h = 1e-5
					at := func(by float64) float64 {
						moved := k
						place := moved.parts()[part]
						*place = append([]float64(nil), *place...)
						(*place)[j] += by
						return loss(moved, k)
					}
					d := (at(h) - at(-h)) / (2 * h)
					if constant {
						d = 0
					}
					if g := got[part].f[j]; math.Abs(g-d) > 1e-6*max(1, math.Abs(d)) {
						t.Errorf("%s, teach %v: gradient by %s[%d] is %.9f, differences give %.9f", name, teach, part, j, g, d)
					}
				}
			}
		}
	}
}
