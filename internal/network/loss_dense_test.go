package network_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// denseCase is three pictures of four patches, and five words, of which the last two
// are background words.
type denseCase struct {
	patches, prompts, theta []float64
	labels                  []int32
	word, background        []float64 // [3, 4]
	competing, stuff        []float64 // [3, 5], [5]
}

func drawDense() denseCase {
	parts := drawParts()
	return denseCase{
		patches: parts.patches, prompts: parts.prompts, theta: parts.theta,
		labels: []int32{0, 2, 3, 0, 1, 0, 4, 4, 0, 0, 0, 0},
		// The third picture knows nothing; in the second no background word competes,
		// so that its third patch teaches nothing.
		word:       []float64{1, 1, 0.5, 0, 1, 0, 0, 0, 0, 0, 0, 0},
		background: []float64{0, 0, 0.5, 0.5, 0, 0, 0.5, 0, 0, 0, 0, 0},
		competing:  []float64{1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1},
		stuff:      []float64{0, 0, 0, 1, 1},
	}
}

// loss is the definition.
func (k denseCase) loss() float64 {
	total, words := 0.0, unitRows(k.prompts, partsWidth)
	for i := range 2 {
		sum, known := 0.0, 0.0
		for n, z := range unitRows(k.patches, partsWidth)[4*i : 4*i+4] {
			var all, stuff []float64
			label := 0.0
			for u, w := range words {
				logit := math.Exp(k.theta[0]) * inner(z, w)
				if k.competing[5*i+u] == 0 {
					continue
				}
				if all = append(all, logit); k.stuff[u] > 0 {
					stuff = append(stuff, logit)
				}
				if u == int(k.labels[4*i+n]) {
					label = logit
				}
			}
			word, background := k.word[4*i+n], k.background[4*i+n]
			if len(stuff) == 0 {
				background = 0
			}
			if word > 0 {
				sum += word * (logSumExp(all) - label)
			}
			if background > 0 {
				sum += background * (logSumExp(all) - logSumExp(stuff))
			}
			if word+background > 0 {
				known++
			}
		}
		total += sum / known
	}
	return total / 2
}

// TestDenseLoss compares the loss of label maps with its definition, and its
// gradients with differences of that.
func TestDenseLoss(t *testing.T) {
	b, k := enginetest.New(t, engine.Go, 1), drawDense()
	names := []string{"patches", "prompts", "theta"}
	got := runGraph(t, b, dtypes.Float64, nil, []array{
		{shape: []int{3, 4, partsWidth}, f: k.patches}, {shape: []int{5, partsWidth}, f: k.prompts}, {shape: []int{}, f: k.theta},
		{shape: []int{3, 4}, i: k.labels}, {shape: []int{3, 4}, f: k.word}, {shape: []int{3, 4}, f: k.background},
		{shape: []int{3, 5}, f: k.competing}, {shape: []int{5}, f: k.stuff},
	}, func(_ network.Weights, in []*graph.Node) map[string]*graph.Node {
		loss := network.DenseLoss(normalised(in[0]), normalised(in[1]), graph.Exp(in[2]),
			network.Dense{Labels: in[3], Word: in[4], Background: in[5], Competing: in[6], Stuff: in[7]})
		out := map[string]*graph.Node{"loss": loss}
		for i, g := range graph.Gradient(loss, in[:3]...) {
			out[names[i]] = g
		}
		return out
	})
	same(t, "loss", got["loss"].f[0], k.loss())
	for i, values := range []*[]float64{&k.patches, &k.prompts, &k.theta} {
		for j, v := range *values {
			const h = 1e-5
			at := func(by float64) float64 {
				(*values)[j] = v + by
				defer func() { (*values)[j] = v }()
				return k.loss()
			}
			d := (at(h) - at(-h)) / (2 * h)
			if g := got[names[i]].f[j]; math.Abs(g-d) > 1e-6*max(1, math.Abs(d)) {
				t.Errorf("gradient by %s[%d] is %.9f, differences give %.9f", names[i], j, g, d)
			}
		}
	}
}

// A context branch leaves the network as it was until it is trained.
func TestContextStartsAtZero(t *testing.T) {
	grown := photos()
	grown.Variant.Context = network.Context{Channels: []int{6, 5}, Blocks: []int{1, 1}, MLP: 7}
	e, b := enginetest.New(t, engine.Go, 1), drawBatch(grown)
	params := drawnWeights(photos())
	want := b.run(t, e, dtypes.Float64, photos(), params, false, nil)
	for name, values := range network.Initialize(grown, 3) {
		if _, ok := params[name]; !ok {
			a := array{f: widen(values)}
			for _, p := range grown.Params() {
				if p.Name == name {
					a.shape = p.Shape
				}
			}
			params[name] = a
		}
	}
	got := b.run(t, e, dtypes.Float64, grown, params, false, nil)
	compareAll(t, got, want, false, 1e-12)
}
