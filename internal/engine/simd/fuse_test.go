package simd_test

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// The gradients of activations, which Compile recognises, against the plain Go backend: with a gradient of each
// element, of a row, and one for all.
func TestActivationGradients(t *testing.T) {
	quick := func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Sigmoid(graph.MulScalar(x, 1.702))) }
	for _, c := range []struct {
		name string
		act  func(*graph.Node) *graph.Node
	}{{"gelu", activation.Gelu}, {"quick gelu", quick}, {"relu", activation.Relu}} {
		for _, l := range []struct {
			name string
			loss func(x, y *graph.Node) *graph.Node
		}{
			{"each", func(x, y *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Mul(y, graph.Sin(x))) }},
			{"row", func(x, y *graph.Node) *graph.Node {
				weights := graph.Iota(x.Graph(), y.Shape(), 1)
				return graph.ReduceAllSum(graph.Mul(graph.ReduceAndKeep(y, graph.ReduceSum, 0), graph.SliceAxis(weights, 0, graph.AxisElem(0))))
			}},
			{"all", func(_, y *graph.Node) *graph.Node { return graph.ReduceAllMean(y) }},
		} {
			t.Run(c.name+", "+l.name, func(t *testing.T) {
				f := func(x *graph.Node) *graph.Node {
					y := c.act(x)
					return graph.Concatenate([]*graph.Node{y, graph.Gradient(l.loss(x, y), x)[0]}, 0)
				}
				x := make([][]float32, 37)
				for i := range x {
					x[i] = make([]float32, 19)
					for j := range x[i] {
						x[i][j] = float32(i-18)*0.31 + float32(j)*0.07
					}
				}
				want, err := graph.CallOnce(reference(t), f, x)
				if err != nil {
					t.Fatal(err)
				}
				got, err := graph.CallOnce(newBackend(t, 1), f, x)
				if err != nil {
					t.Fatal(err)
				}
				if err := near(flat(want.Value().([][]float32)), flat(got.Value().([][]float32)), 2e-6); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func flat(x [][]float32) []float32 { return slices.Concat(x...) }
