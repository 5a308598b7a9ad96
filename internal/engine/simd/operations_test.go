package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// withGradients gives f's result and the gradients of its weighted sum, as one vector.
func withGradients(f func(in []*Node) *Node) func(in []*Node) *Node {
	return func(in []*Node) *Node {
		y := f(in)
		flat := Reshape(y, -1)
		weights := Sin(Iota(y.Graph(), flat.Shape(), 0))
		var floats []*Node
		for _, x := range in {
			if x.DType() == dtypes.Float32 {
				floats = append(floats, x)
			}
		}
		all := []*Node{flat}
		for _, g := range Gradient(ReduceAllSum(Mul(flat, weights)), floats...) {
			all = append(all, Reshape(g, -1))
		}
		return Concatenate(all, 0)
	}
}

func floats(r *rand.Rand, dims ...int) *tensors.Tensor {
	x := make([]float32, product(dims))
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(x, dims...)
}

func integers(r *rand.Rand, below int, dims ...int) *tensors.Tensor {
	x := make([]int32, product(dims))
	for i := range x {
		x[i] = int32(r.IntN(below))
	}
	return tensors.FromFlatDataAndDimensions(x, dims...)
}

// Operations with lowerings of their own, and what differentiation makes of them, against the plain Go backend.
func TestOperations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	type test struct {
		name string
		in   []*tensors.Tensor
		f    func(in []*Node) *Node
	}
	tests := []test{
		{"embedding", []*tensors.Tensor{floats(r, 11, 5), integers(r, 11, 3, 7)},
			withGradients(func(in []*Node) *Node { return Gather(in[0], InsertAxes(in[1], -1)) })},
		{"gather of two indices", []*tensors.Tensor{floats(r, 6, 7, 3), integers(r, 6, 4, 2)},
			withGradients(func(in []*Node) *Node { return Gather(in[0], in[1]) })},
		{"winner of a middle axis", []*tensors.Tensor{floats(r, 3, 5, 4)}, func(in []*Node) *Node {
			return OneHot(ArgMax(in[0], 1, dtypes.Int32), 5, dtypes.Float32)
		}},
		{"smallest of the last axis", []*tensors.Tensor{floats(r, 3, 5, 4)}, func(in []*Node) *Node {
			return ConvertDType(ArgMin(in[0], -1, dtypes.Int32), dtypes.Float32)
		}},
		{"mask of lengths", []*tensors.Tensor{integers(r, 9, 6)}, func(in []*Node) *Node {
			at := Iota(in[0].Graph(), shapes.Make(dtypes.Int32, 6, 9), 1)
			return ConvertDType(LessOrEqual(at, BroadcastToDims(InsertAxes(in[0], -1), 6, 9)), dtypes.Float32)
		}},
		{"integers to numbers", []*tensors.Tensor{integers(r, 100, 5, 5)}, func(in []*Node) *Node {
			return ConvertDType(Slice(in[0], AxisRange(1, 4)), dtypes.Float32)
		}},
		{"softmax of a middle axis", []*tensors.Tensor{floats(r, 3, 5, 4)},
			withGradients(func(in []*Node) *Node { return Softmax(in[0], 1) })},
		{"products of transposed views", []*tensors.Tensor{floats(r, 2, 9, 3, 4), floats(r, 2, 5, 3, 4)},
			withGradients(func(in []*Node) *Node {
				return Einsum("bqhd,bkhd->bhqk", in[0], in[1])
			})},
		{"chain of products", []*tensors.Tensor{floats(r, 2, 4, 9), floats(r, 2, 9, 33), floats(r, 33, 1)},
			withGradients(func(in []*Node) *Node {
				return Einsum("bgd,dx->bgx", Einsum("bgl,bld->bgd", Transpose(Transpose(in[0], 1, 2), 1, 2), in[1]), in[2])
			})},
		{"moments over leading axes", []*tensors.Tensor{floats(r, 4, 6, 6, 24)},
			withGradients(func(in []*Node) *Node {
				mean := ReduceAndKeep(in[0], ReduceMean, 0, 1, 2)
				variance := ReduceAndKeep(Square(Sub(in[0], mean)), ReduceMean, 0, 1, 2)
				return Div(Sub(in[0], mean), Sqrt(AddScalar(variance, 1e-2)))
			})},
		{"reductions of outer and inner axes", []*tensors.Tensor{floats(r, 4, 6, 5, 3)},
			withGradients(func(in []*Node) *Node {
				return Add(ReduceSum(in[0], 0, 2), ReduceMax(in[0], 0, 2))
			})},
		{"strides", []*tensors.Tensor{floats(r, 7, 9)},
			withGradients(func(in []*Node) *Node {
				return Mul(Slice(in[0], AxisRange().Stride(2), AxisRange(1).Stride(3)), Slice(in[0], AxisRange(0, 4), AxisRange(2, 5)))
			})},
		{"norm of all elements", []*tensors.Tensor{floats(r, 5, 600), floats(r, 3)},
			func(in []*Node) *Node {
				return Sqrt(Add(ReduceAllSum(Square(TransposeAllAxes(in[0], 1, 0))), ReduceAllSum(Square(in[1]))))
			}},
		{"the same in float64 and integers", []*tensors.Tensor{floats(r, 5, 60), integers(r, 9, 7)},
			func(in []*Node) *Node {
				norm := ConvertDType(ReduceAllSum(Square(ConvertDType(in[0], dtypes.Float64))), dtypes.Float32)
				return Add(norm, ConvertDType(ReduceAllSum(Square(in[1])), dtypes.Float32))
			}},
		{"a row of itself added", []*tensors.Tensor{floats(r, 5, 600)},
			withGradients(func(in []*Node) *Node {
				y := Tanh(in[0])
				return Add(y, SliceAxis(y, 0, AxisElem(0)))
			})},
		{"a choice", []*tensors.Tensor{floats(r, 7, 40), floats(r, 7, 40)},
			withGradients(func(in []*Node) *Node {
				return Where(LogicalAnd(GreaterThan(in[0], in[1]), LogicalNot(LessThan(in[0], ZerosLike(in[0])))), in[0], MulScalar(in[1], 2))
			})},
	}
	for _, c := range []struct{ h, w, in, out, k, stride, pad, dilation int }{
		{8, 8, 3, 24, 3, 2, 1, 1}, {7, 9, 5, 4, 3, 1, 1, 1}, {5, 5, 16, 16, 3, 1, 1, 1}, {9, 6, 2, 3, 2, 3, 0, 1},
		{6, 6, 4, 8, 1, 1, 0, 1}, {10, 8, 2, 3, 3, 1, 2, 2}, {11, 7, 3, 2, 5, 2, 2, 1},
	} {
		tests = append(tests, test{fmt.Sprintf("convolution %+v", c),
			[]*tensors.Tensor{floats(r, 2, c.h, c.w, c.in), floats(r, c.out, c.in, c.k, c.k)},
			withGradients(func(in []*Node) *Node {
				conv := Convolve(in[0], TransposeAllAxes(in[1], 2, 3, 1, 0)).StridePerAxis(c.stride, c.stride).
					PaddingPerDim([][2]int{{c.pad, c.pad}, {c.pad, c.pad}})
				if c.dilation > 1 {
					conv = conv.DilationPerAxis(c.dilation, c.dilation)
				}
				return conv.Done()
			})})
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			var results [2][]float32
			for i, b := range []compute.Backend{reference(t), newBackend(t, 2)} {
				results[i] = call(t, b, c.f, c.in)
			}
			if err := near(results[0], results[1], 1e-5); err != nil {
				t.Error(err)
			}
			for _, v := range results[1] {
				if math.IsNaN(float64(v)) {
					t.Fatal("NaN")
				}
			}
		})
	}
}
