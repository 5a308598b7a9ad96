package simd

import (
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
)

// spy keeps the builder of a computation.
type spy struct {
	*Backend
	builder *Builder
}

func (s *spy) Builder(name string) compute.Builder {
	s.builder = newBuilder(s.Backend, name)
	return s.builder
}

// What GoMLX writes for the gradients of activations is recognised.
func TestFuse(t *testing.T) {
	b, err := New(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	for _, c := range []struct {
		name string
		f    func(x *graph.Node) *graph.Node
		want compute.OpType
	}{
		{"gelu", activation.Gelu, opGeluGradient},
		{"quick gelu", func(x *graph.Node) *graph.Node {
			return graph.Mul(x, graph.Sigmoid(graph.MulScalar(x, 1.702)))
		}, opQuickGradient},
		{"relu", activation.Relu, opMaxGradient},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &spy{Backend: b.(*Backend)}
			g := graph.NewGraph(s, c.name)
			x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, 4, 5))
			graph.Gradient(graph.ReduceAllSum(graph.Square(c.f(x))), x)
			fuse(s.builder.main)
			found := 0
			for _, n := range s.builder.main.nodes {
				if n.op == c.want {
					found++
				}
			}
			if found != 1 {
				t.Errorf("found %d times, want once", found)
			}
		})
	}
}

// An activation and a residual become a part of their product: two products are left of a block.
func TestAbsorb(t *testing.T) {
	b, err := New(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	s := &spy{Backend: b.(*Backend)}
	g := graph.NewGraph(s, "block")
	x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, 4, 5))
	w := graph.Parameter(g, "w", shapes.Make(dtypes.Float32, 5, 5))
	dense := func(x *graph.Node) *graph.Node { return nn.Dense(x, w, nil, compute.DenseLayoutInputOutputs) }
	graph.Add(x, graph.Reshape(dense(graph.Reshape(activation.Gelu(graph.Reshape(dense(x), 2, 2, 5)), 4, 5)), 4, 5))
	f := s.builder.main
	result := f.nodes[len(f.nodes)-1].values[0]
	result.output, f.outputs = true, []*value{result}
	var ops []compute.OpType
	for _, n := range absorb(live(f)) {
		ops = append(ops, n.op)
	}
	want := []compute.OpType{compute.OpTypeParameter, compute.OpTypeParameter, compute.OpTypeFusedDense, compute.OpTypeFusedDense}
	if !slices.Equal(ops, want) {
		t.Errorf("what is left is %v, want %v", ops, want)
	}
}
