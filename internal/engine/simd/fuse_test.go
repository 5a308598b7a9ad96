package simd_test

import (
	"math"
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

// The gradient of a maximum with zero has the bits that differentiation writes out, for special numbers too.
func TestMaxGradientBits(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	numbers := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 1e-40, -1e-40, inf, -inf, nan, 3.5, -2.5}
	var x, dy []float32
	for _, a := range numbers {
		for _, b := range numbers {
			x, dy = append(x, a), append(dy, b)
		}
	}
	f := func(x, dy *graph.Node) *graph.Node {
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(activation.Relu(x), dy)), x)[0]
	}
	got, err := graph.CallOnce(newBackend(t, 1), f, x, dy)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Value().([]float32) {
		step := float32(1)
		if x[i] < 0 {
			step = 0
		}
		if want := dy[i] * step; math.Float32bits(v) != math.Float32bits(want) && (v == v || want == want) {
			t.Errorf("x %g, gradient %g: %g, not %g", x[i], dy[i], v, want)
		}
	}
}

func flat(x [][]float32) []float32 { return slices.Concat(x...) }
