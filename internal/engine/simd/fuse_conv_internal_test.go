package simd

import (
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// A residual block of a stem becomes two convolutions and nothing else.
func TestFold(t *testing.T) {
	b, err := New(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	s := &spy{Backend: b.(*Backend)}
	g := graph.NewGraph(s, "block")
	x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, 1, 6, 6, 4))
	w := graph.Parameter(g, "w", shapes.Make(dtypes.Float32, 3, 3, 4, 4))
	row := graph.Parameter(g, "row", shapes.Make(dtypes.Float32, 1, 4))
	norm := func(x *graph.Node) *graph.Node {
		y := graph.Add(graph.Mul(graph.Sub(graph.Reshape(x, -1, 4), row), row), row)
		return graph.Reshape(y, x.Shape().Dimensions...)
	}
	convolve := func(x *graph.Node) *graph.Node {
		return graph.Convolve(x, w).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
	}
	y := activation.Relu(norm(convolve(x)))
	activation.Relu(graph.Add(x, norm(convolve(y))))
	f := s.builder.main
	result := f.nodes[len(f.nodes)-1].values[0]
	result.output, f.outputs = true, []*value{result}
	var folded []foldedConv
	for _, n := range absorb(live(f)) {
		switch n.op {
		case opFoldedConvolution:
			folded = append(folded, n.attr.(foldedConv))
		case compute.OpTypeParameter, compute.OpTypeConstant, compute.OpTypeBroadcastInDim:
		default:
			t.Errorf("%s is left", n.op)
		}
	}
	if len(folded) != 2 {
		t.Fatalf("%d folded convolutions, want 2", len(folded))
	}
	for i, residual := range []bool{false, true} {
		a := folded[i]
		var ops []compute.OpType
		for _, s := range a.steps {
			ops = append(ops, s.op)
		}
		if !slices.Equal(ops, []compute.OpType{compute.OpTypeSub, compute.OpTypeMul, compute.OpTypeAdd}) || a.act != vector.ReLU || (a.residual != 0) != residual {
			t.Errorf("convolution %d: %v, residual %v, activation %v", i, ops, a.residual, a.act)
		}
	}
}
