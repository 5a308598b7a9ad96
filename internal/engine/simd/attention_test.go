package simd_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/groupvit/groupvit/internal/engine/simd"
)

// Fused attention and its gradient against the plain Go backend, which computes both from single operations: with
// and without masks, causal, with biases, in both layouts, on every path.
func TestAttention(t *testing.T) {
	const batch, heads, queries, width = 2, 3, 7, 8
	r := rand.New(rand.NewPCG(5, 6))
	lengths := tensors.FromFlatDataAndDimensions([]int32{3, 9}, batch, 1, 1, 1)
	// mask hides the keys from a length on: [batch, 1, 1, keys].
	mask := func(in []*Node, keys int) *Node {
		at := Iota(in[3].Graph(), shapes.Make(dtypes.Int32, batch, 1, 1, keys), 3)
		return LessThan(at, BroadcastToShape(in[3], at.Shape()))
	}
	for _, layout := range []attention.AxesLayout{attention.LayoutBHSD, attention.LayoutBSHD} {
		for _, c := range []struct {
			name    string
			keys    int
			options func(in []*Node) attention.CoreOptions
			extra   *tensors.Tensor
		}{
			{"plain", 11, func([]*Node) attention.CoreOptions { return attention.CoreOptions{} }, lengths},
			{"a scale of its own", 11, func([]*Node) attention.CoreOptions { return attention.CoreOptions{Scale: 0.5} }, lengths},
			{"causal", queries, func([]*Node) attention.CoreOptions { return attention.CoreOptions{UseCausalMask: true} }, lengths},
			{"masked by length", 11, func(in []*Node) attention.CoreOptions {
				return attention.CoreOptions{AttentionMask: mask(in, 11)}
			}, lengths},
			{"a mask that adds", 11, func(in []*Node) attention.CoreOptions {
				return attention.CoreOptions{AttentionMask: in[3]}
			}, floats(r, 1, 1, 1, 11)},
			{"one key", 1, func([]*Node) attention.CoreOptions { return attention.CoreOptions{} }, lengths},
		} {
			t.Run(fmt.Sprintf("%s, %s", layout, c.name), func(t *testing.T) {
				dims := func(n int) []int {
					if layout == attention.LayoutBHSD {
						return []int{batch, heads, n, width}
					}
					return []int{batch, n, heads, width}
				}
				in := []*tensors.Tensor{floats(r, dims(queries)...), floats(r, dims(c.keys)...), floats(r, dims(c.keys)...), c.extra}
				f := func(in []*Node) *Node {
					out, _ := attention.Core(in[0], in[1], in[2], layout, c.options(in))
					weights := Sin(Iota(out.Graph(), out.Shape(), 1))
					all := []*Node{Reshape(out, -1)}
					for _, g := range Gradient(ReduceAllSum(Mul(out, Add(weights, Square(out)))), in[:3]...) {
						all = append(all, Reshape(g, -1))
					}
					return Concatenate(all, 0)
				}
				want := call(t, reference(t), f, in)
				for l := level.Off; l <= level.Best(); l++ {
					func() {
						defer level.Force(l)()
						if err := near(want, call(t, newBackend(t, 2), f, in), 1e-5); err != nil {
							t.Errorf("%s: %v", l, err)
						}
					}()
				}
			})
		}
	}
}

// With weights in a narrow format attention rounds its operands to bfloat16 where the CPU has the instruction, but not
// where a gradient follows.
func TestAttentionOfNarrowWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	in := []*tensors.Tensor{floats(r, 2, 30, 3, 32), floats(r, 2, 41, 3, 32), floats(r, 2, 41, 3, 32)}
	forward := func(in []*Node) *Node {
		out, _ := attention.Core(in[0], in[1], in[2], attention.LayoutBSHD, attention.CoreOptions{})
		return Reshape(out, -1)
	}
	gradient := func(in []*Node) *Node {
		out := forward(in)
		return Concatenate([]*Node{out, Reshape(Gradient(ReduceAllSum(Square(out)), in[0])[0], -1)}, 0)
	}
	exact, exactToo := call(t, newBackend(t, 1), forward, in), call(t, newBackend(t, 1), gradient, in)
	for _, format := range []tile.Format{tile.BFloat16, tile.Int8} {
		b, err := simd.New(simd.Options{Threads: 1, Weights: format})
		if err != nil {
			t.Logf("%s: %v", format, err)
			continue
		}
		t.Cleanup(b.Finalize)
		got := call(t, b, forward, in)
		if err := near(exact, got, 1e-2); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if rounds := level.Current() >= level.AVX512BF16; rounds == slices.Equal(exact, got) {
			t.Errorf("%s: rounded: %v, want %v", format, !rounds, rounds)
		}
		if !slices.Equal(exactToo, call(t, b, gradient, in)) {
			t.Errorf("%s: what has a gradient was rounded", format)
		}
	}
}

// A query from which every key is hidden gets zeros.
func TestAttentionOfNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	in := []*tensors.Tensor{floats(r, 1, 1, 4, 8), floats(r, 1, 1, 5, 8), floats(r, 1, 1, 5, 8),
		tensors.FromFlatDataAndDimensions([]int32{5, 0, 2, 0}, 1, 1, 4, 1)}
	f := func(in []*Node) *Node {
		at := Iota(in[3].Graph(), in[0].Shape().Clone(), 3)
		at = ConvertDType(SliceAxis(at, 3, AxisRange(0, 5)), dtypes.Int32)
		hidden := LessThan(at, BroadcastToShape(in[3], at.Shape()))
		out, _ := attention.Core(in[0], in[1], in[2], attention.LayoutBHSD, attention.CoreOptions{AttentionMask: hidden})
		return Reshape(out, -1)
	}
	want := call(t, reference(t), f, in)
	for l := level.Off; l <= level.Best(); l++ {
		func() {
			defer level.Force(l)()
			if err := near(want, call(t, newBackend(t, 1), f, in), 1e-5); err != nil {
				t.Errorf("%s: %v", l, err)
			}
		}()
	}
}

func call(t testing.TB, b compute.Backend, f func(in []*Node) *Node, in []*tensors.Tensor) []float32 {
	t.Helper()
	var args []any
	for _, x := range in {
		own, err := x.LocalClone() // a tensor belongs to one backend
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, own)
	}
	out := MustNewExec(b, f).MustCall(args...)
	return tensors.MustCopyFlatData[float32](out[0])
}
