package network_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// TestCut: towers that see a part of the pictures and texts at a time, joined at
// the cut, give the losses, gradients and running statistics of the whole batch,
// in float64 to rounding, with drop path and noise; for every variant but a stem
// with BatchNorm, which looks at the whole batch.
func TestCut(t *testing.T) {
	b := enginetest.New(t, engine.Go, 1)
	for name, c := range variants() {
		if c.Variant.Stem.BatchNorm {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c.DropPath = 0.4
			params := map[string]array{}
			values := network.Initialize(c, 3)
			for _, p := range c.Params() {
				params[p.Name] = array{shape: p.Shape, f: widen(values[p.Name])}
			}
			ids := array{shape: []int{8, 4}}
			for i := range int32(8) {
				ids.i = append(ids.i, 18, 1+i, 1+i*3%17, 19)
			}
			inputs := []array{formulaPictures(7, 4, c.ImageSize, c.ImageSize), ids, paperTargets(4, 1)}
			run := func(parts int) map[string]array {
				return runGraph(t, b, dtypes.Float64, params, inputs, func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
					return cutLoss(w, c, in, parts)
				})
			}
			whole, parted := run(1), run(2)
			for name, want := range whole {
				for i, v := range want.f { // some gradients are sums that cancel to 0
					if d := math.Abs(parted[name].f[i] - v); !(d <= 1e-9*max(1, math.Abs(v))) {
						t.Errorf("%s[%d] is %g, whole %g", name, i, parted[name].f[i], v)
					}
				}
			}
			if whole["gradient/"+network.LogitScale].f[0] == 0 {
				t.Error("no gradient")
			}
		})
	}
}

// cutLoss computes the losses of four pictures and eight texts in parts.
func cutLoss(w network.Weights, c network.Config, in []*graph.Node, parts int) map[string]*graph.Node {
	used := map[string]bool{}
	weights := func(name string) *graph.Node { used[name] = true; return w(name) }
	numbers := rand.New(rand.NewPCG(1, 2))
	rows := map[string][]float64{} // of four pictures, by the place of the call
	piece := func(x *graph.Node, p int) *graph.Node {
		n := x.Shape().Dimensions[0] / parts
		return graph.SliceAxis(x, 0, graph.AxisRange(p*n, (p+1)*n))
	}
	var cuts [][]*graph.Node
	var texts []*graph.Node
	for p := range parts {
		calls := 0
		random := func(shape shapes.Shape) *graph.Node {
			key, n := fmt.Sprint(calls), shape.Size()*parts
			for calls++; len(rows[key]) < n; {
				rows[key] = append(rows[key], numbers.Float64())
			}
			part := rows[key][p*n/parts : (p+1)*n/parts]
			return graph.Reshape(graph.Const(in[0].Graph(), part), shape.Dimensions...)
		}
		f := network.ImageTower(weights, c, piece(in[0], p), network.Mode{Training: true, Random: random})
		for i, n := range f.Cut(c) {
			if p == 0 {
				cuts = append(cuts, nil)
			}
			cuts[i] = append(cuts[i], n)
		}
		texts = append(texts, network.TextTower(weights, c, piece(in[1], p), network.Mode{Training: true}))
	}
	var joined []*graph.Node
	for _, c := range cuts {
		joined = append(joined, graph.Concatenate(c, 0))
	}
	batch, loss := network.Batch{Targets: in[2]}, network.PaperLoss()
	if c.Variant.PatchEmbeddings != "" {
		loss.ExplainWeight = 0.5
		if c.HasGroups() {
			loss.TeachWeight = 0.5
		}
	}
	out := loss.OfFeatures(weights, c, network.FeaturesFromCut(c, joined), graph.Concatenate(texts, 0), batch, network.Mode{Training: true})
	nodes := map[string]*graph.Node{"image-text": out.ImageText, "nouns": out.Nouns}
	for name, n := range out.Updates {
		nodes["update/"+name] = n
	}
	var trained []string
	for _, p := range c.Params() {
		if used[p.Name] && p.Trainable {
			trained = append(trained, p.Name)
		}
	}
	return withGradients(nodes, w, out.Total, trained)
}
