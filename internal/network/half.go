package network

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/nn"
)

// product is an Einsum of two large operands: in Mode.BF16 both are rounded to
// bfloat16, and so are the result and, on the way back, the gradients; engines sum
// in float32. What comes out has x's own type, so that all that is no large product
// (softmax, norms, activations, sums, losses) is computed in float32.
func (t *tower) product(equation string, x, y *Node) *Node {
	if !t.mode.BF16 {
		return Einsum(equation, x, y)
	}
	rounded := Einsum(equation, ConvertDType(x, dtypes.BFloat16), ConvertDType(y, dtypes.BFloat16))
	return ConvertDType(rounded, x.DType())
}

// dense is x·Wᵀ + b for x [N, in], W [out, in] and b [out].
func (t *tower) dense(x, w, b *Node) *Node {
	if !t.mode.BF16 {
		return nn.Dense(x, w, b, compute.DenseLayoutOutputsInput)
	}
	return Add(t.product("ni,oi->no", x, w), InsertAxes(b, 0))
}

// attention of heads q [B, Q, H, d] over k and v [B, K, H, d], scaled by 1/√d.
func (t *tower) attention(q, k, v *Node, o attention.CoreOptions) *Node {
	if !t.mode.BF16 {
		y, _ := attention.Core(q, k, v, attention.LayoutBSHD, o)
		return y
	}
	scores := t.product("bqhd,bkhd->bhqk", q, k)
	scores = MulScalar(scores, 1/math.Sqrt(float64(q.Shape().Dimensions[3])))
	if mask := maskOf(scores, o); mask != nil {
		hidden := OneMinus(ConvertDType(mask, scores.DType()))
		scores = Add(scores, MulScalar(hidden, hiddenLogit))
	}
	return t.product("bhqk,bkhd->bqhd", Softmax(scores, -1), v)
}

// maskOf is true where a query may look, of scores [B, H, Q, K]; nil: everywhere.
func maskOf(scores *Node, o attention.CoreOptions) *Node {
	dims := scores.Shape().Dimensions
	switch {
	case o.UseCausalMask:
		at := func(axis int) *Node {
			return Iota(scores.Graph(), shapes.Make(dtypes.Int32, 1, 1, dims[2], dims[3]), axis)
		}
		return BroadcastToDims(LessOrEqual(at(3), at(2)), dims...)
	case o.AttentionMask != nil:
		return BroadcastToDims(o.AttentionMask, dims...)
	}
	return nil
}
