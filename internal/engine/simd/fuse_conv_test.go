package simd_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// steps of a chain after a convolution [n, h, w, c]; row gives a constant of c numbers, of a parameter if fixed is unset.
type after func(y, x *graph.Node, row func() *graph.Node) *graph.Node

func norm(y, _ *graph.Node, row func() *graph.Node) *graph.Node {
	d := y.Shape().Dimensions
	flat := graph.Reshape(y, -1, d[3])
	flat = graph.Add(graph.Mul(graph.Sub(flat, row()), graph.Div(row(), graph.AddScalar(graph.Square(row()), 0.1))), row())
	return graph.Reshape(flat, d...)
}

// sharedNorm has a root that layers share, so that scales of all layers are computed at once, after the first layer's
// zeros.
func sharedNorm(y, _ *graph.Node, row func() *graph.Node) *graph.Node {
	d := y.Shape().Dimensions
	ones := graph.Ones(y.Graph(), shapes.Make(dtypes.Float32, 1, d[3]))
	flat := graph.Reshape(y, -1, d[3])
	flat = graph.Add(graph.Mul(graph.Sub(flat, ones), graph.Div(row(), graph.Sqrt(graph.AddScalar(ones, 0.1)))), ones)
	return graph.Reshape(flat, d...)
}

func relu(y, _ *graph.Node, _ func() *graph.Node) *graph.Node { return activation.Relu(y) }
func gelu(y, _ *graph.Node, _ func() *graph.Node) *graph.Node { return activation.Gelu(y) }
func bias(y, _ *graph.Node, row func() *graph.Node) *graph.Node {
	return graph.Add(y, graph.Reshape(row(), 1, 1, 1, -1))
}
func add(y, x *graph.Node, _ func() *graph.Node) *graph.Node { return graph.Add(x, y) }

// TestFoldedConvolutions compares chains that are folded into a convolution, and such as must not be, with the plain Go
// backend, on every path.
func TestFoldedConvolutions(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []after
	}{
		{"alone", nil},
		{"norm", []after{norm}},
		{"norm, relu", []after{norm, relu}},
		{"bias, gelu", []after{bias, gelu}},
		{"norm, residual, relu", []after{norm, add, relu}},
		{"norms that share a root", []after{sharedNorm, relu}},
		{"residual, gelu", []after{add, gelu}},
		{"relu, norm", []after{relu, norm}},
		{"residual twice", []after{add, add, relu}},
		{"residual, bias", []after{add, bias, relu}},
		{"with itself", []after{func(y, _ *graph.Node, _ func() *graph.Node) *graph.Node { return graph.Add(y, y) }, relu}},
		{"taken from a row", []after{func(y, _ *graph.Node, row func() *graph.Node) *graph.Node {
			return graph.Sub(graph.Reshape(row(), 1, 1, 1, -1), y)
		}, relu}},
		{"divided", []after{func(y, _ *graph.Node, row func() *graph.Node) *graph.Node {
			return graph.Div(y, graph.AddScalar(graph.Square(graph.Reshape(row(), 1, 1, 1, -1)), 1))
		}, bias}},
		{"one number for all", []after{func(y, _ *graph.Node, _ func() *graph.Node) *graph.Node { return graph.MulScalar(y, 0.3) }, relu}},
		{"looked at twice", []after{func(y, _ *graph.Node, row func() *graph.Node) *graph.Node {
			return graph.Add(norm(y, nil, row), graph.Exp(graph.Neg(graph.Square(y))))
		}}},
		{"normed by its own mean", []after{func(y, _ *graph.Node, _ func() *graph.Node) *graph.Node {
			return graph.Sub(y, graph.ReduceAndKeep(y, graph.ReduceMean, 0, 1, 2))
		}, relu}},
	} {
		for _, fixed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, constant %v", c.name, fixed), func(t *testing.T) {
				compareFolded(t, c.steps, fixed)
			})
		}
	}
}

// compareFolded runs two convolutions of 5 channels with the steps after each.
func compareFolded(t *testing.T, steps []after, fixed bool) {
	const channels = 5
	r := rand.New(rand.NewPCG(3, 4))
	draw := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	pictures, kernel, numbers, rows := draw(2*7*6*channels), draw(channels*channels*9), draw(channels), draw(12*channels)
	arguments := func() []any { // a tensor belongs to one backend
		return []any{tensors.FromFlatDataAndDimensions(pictures, 2, 7, 6, channels),
			tensors.FromFlatDataAndDimensions(kernel, channels, channels, 3, 3), tensors.FromFlatDataAndDimensions(numbers, channels)}
	}
	f := func(x, w, p *graph.Node) *graph.Node {
		g, i := x.Graph(), 0
		row := func() *graph.Node {
			if i++; fixed {
				return graph.ConstTensor(g, tensors.FromFlatDataAndDimensions(rows[i*channels:][:channels], 1, channels))
			}
			return graph.MulScalar(graph.Reshape(p, 1, channels), float64(i))
		}
		if fixed {
			w = graph.ConstTensor(g, arguments()[1].(*tensors.Tensor))
		}
		for range 2 {
			in := x
			x = graph.Convolve(x, graph.TransposeAllAxes(w, 2, 3, 1, 0)).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
			for _, s := range steps {
				x = s(x, in, row)
			}
		}
		return x
	}
	want, err := graph.CallOnce(reference(t), f, arguments()...)
	if err != nil {
		t.Fatal(err)
	}
	for l := level.Off; l <= level.Best(); l++ {
		undo := level.Force(l)
		b, err := simd.New(simd.Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		got, err := graph.CallOnce(b, f, arguments()...)
		undo()
		if err != nil {
			t.Fatalf("%v: %v", l, err)
		}
		if err := near(tensors.MustCopyFlatData[float32](want), tensors.MustCopyFlatData[float32](got), 3e-6); err != nil {
			t.Errorf("%v: %v", l, err)
		}
		b.Finalize()
	}
}
