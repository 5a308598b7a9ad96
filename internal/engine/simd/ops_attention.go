package simd

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/attention"
)

// attentionAttr is what the lowerings of attention and its gradient must know.
type attentionAttr struct {
	layout attention.Layout
	scale  float32
	causal bool
	biased bool // the fourth input is a bias of four axes: batch, head, query, key
}

// attentionCall is one call of fused attention, checked.
type attentionCall struct {
	attentionAttr
	inputs []compute.Value // query, key, value and the bias if there is one
	lse    shapes.Shape    // of the state for the gradient: batch, head, query
	out    shapes.Shape
}

// newAttention checks a call and turns its mask into a bias. For what the kernels cannot do it returns
// compute.ErrNotImplemented, on which GoMLX composes attention from simpler operations.
func (f *Function) newAttention(op compute.OpType, query, key, value compute.Value, layout compute.AttentionAxesLayout, o *compute.ScaledDotProductAttentionConfig) (*attentionCall, error) {
	in, err := f.cast(op, []compute.Value{query, key, value})
	if err != nil {
		return nil, err
	}
	if o == nil {
		o = &compute.ScaledDotProductAttentionConfig{}
	}
	no := func(what string) error { return fmt.Errorf("%s: %s: %w", op, what, compute.ErrNotImplemented) }
	for i, v := range in {
		if v == nil || v.shape.Rank() != 4 || v.dtype() != dtypes.Float32 || v.size() == 0 {
			return nil, no(fmt.Sprintf("operand %d is not float32 with four axes", i))
		}
	}
	if o.QuerySeqLen != nil || o.KeyValueSeqLen != nil {
		return nil, no("sequence lengths")
	}
	seq, heads := layout.SeqAxis(), layout.HeadsAxis()
	q, k, v := in[0].dims(), in[1].dims(), in[2].dims()
	switch {
	case q[0] != k[0] || q[0] != v[0] || k[seq] != v[seq] || q[3] != k[3]:
		return nil, fmt.Errorf("%s: query %s, key %s and value %s do not fit", op, in[0].shape, in[1].shape, in[2].shape)
	case q[heads] != k[heads] || q[heads] != v[heads]:
		return nil, no("grouped heads")
	case o.Causal && q[seq] != k[seq]:
		return nil, no("causal attention between different lengths")
	}
	a := &attentionCall{inputs: []compute.Value{query, key, value}}
	a.layout, a.scale, a.causal = attention.BHSD, float32(o.Scale), o.Causal
	if o.Scale == 0 {
		a.scale = float32(1 / math.Sqrt(float64(q[3])))
	}
	if layout == compute.AttentionAxesLayoutBSHD {
		a.layout = attention.BSHD
	}
	a.lse = shapes.Make(dtypes.Float32, q[0], q[heads], q[seq])
	a.out = in[0].shape.Clone()
	a.out.Dimensions[3] = v[3]
	scores := []int{q[0], q[heads], q[seq], k[seq]}
	bias, err := f.attentionBias(op, o, a.layout, scores)
	if err != nil {
		return nil, err
	}
	if bias != nil {
		a.biased = true
		a.inputs = append(a.inputs, bias)
	}
	return a, nil
}

// attentionBias joins mask and bias to one bias that broadcasts to scores [batch, head, query, key], or nil.
func (f *Function) attentionBias(op compute.OpType, o *compute.ScaledDotProductAttentionConfig, layout attention.Layout, scores []int) (compute.Value, error) {
	var sum compute.Value
	add := func(v compute.Value, mask bool) error {
		if v == nil {
			return nil
		}
		v, err := f.fourAxes(op, v, mask, layout, scores)
		if err != nil || sum == nil {
			sum = v
			return err
		}
		sum, err = f.Add(sum, v)
		return err
	}
	if err := add(o.Mask, true); err != nil {
		return nil, err
	}
	if err := add(o.Bias, false); err != nil {
		return nil, err
	}
	if sum == nil {
		return nil, nil
	}
	shape := sum.(*value).shape.Clone()
	if shape.Dimensions[3] == scores[3] {
		return sum, nil
	}
	shape.Dimensions[3] = scores[3]
	return f.BroadcastInDim(sum, shape, []int{0, 1, 2, 3})
}

// fourAxes turns a mask or bias into an additive one of the axes batch, head, query, key. A mask of four axes comes
// in the order of the scores, which follows the layout; one of three has no heads.
func (f *Function) fourAxes(op compute.OpType, v compute.Value, mask bool, layout attention.Layout, scores []int) (compute.Value, error) {
	in, err := f.cast(op, []compute.Value{v})
	if err != nil {
		return nil, err
	}
	d := in[0].dims()
	switch {
	case len(d) == 2:
		d = []int{1, 1, d[0], d[1]}
	case len(d) == 3 && mask:
		d = []int{d[0], 1, d[1], d[2]}
	case len(d) != 4:
		return nil, fmt.Errorf("%s: a mask or bias of shape %s: %w", op, in[0].shape, compute.ErrNotImplemented)
	}
	if v, err = f.Reshape(v, d...); err != nil {
		return nil, err
	}
	if mask && layout == attention.BSHD && in[0].shape.Rank() == 4 {
		if v, err = f.Transpose(v, 0, 2, 1, 3); err != nil {
			return nil, err
		}
		d = []int{d[0], d[2], d[1], d[3]}
	}
	for i, n := range d {
		if n != 1 && n != scores[i] {
			return nil, fmt.Errorf("%s: a mask or bias of shape %s does not broadcast to the scores %v", op, in[0].shape, scores)
		}
	}
	switch in[0].dtype() {
	case dtypes.Float32:
		return v, nil
	case dtypes.Bool:
		zero, err := f.Constant([]float32{0})
		if err != nil {
			return nil, err
		}
		hidden, err := f.Constant([]float32{float32(math.Inf(-1))})
		if err != nil {
			return nil, err
		}
		return f.Where(v, zero, hidden)
	}
	return nil, fmt.Errorf("%s: a mask or bias of type %s: %w", op, in[0].dtype(), compute.ErrNotImplemented)
}

// native records an operation that the plain Go backend lacks, with results of the given shapes.
func (f *Function) native(op compute.OpType, attr any, in []compute.Value, results ...shapes.Shape) ([]compute.Value, error) {
	inputs, err := f.cast(op, in)
	if err != nil {
		return nil, err
	}
	shadows := make([]compute.Value, len(results))
	for i, s := range results {
		if shadows[i], err = f.placeholder(s); err != nil {
			return nil, err
		}
	}
	return f.keep(&node{op: op, inputs: inputs, attr: attr}, shadows)
}

// FusedScaledDotProductAttention implements compute.Function. The state for the gradient is the logarithm of the
// softmax's denominators, [batch, head, query].
func (f *Function) FusedScaledDotProductAttention(query, key, value compute.Value, layout compute.AttentionAxesLayout, o *compute.ScaledDotProductAttentionConfig) (compute.Value, []compute.Value, error) {
	const op = compute.OpTypeFusedScaledDotProductAttention
	a, err := f.newAttention(op, query, key, value, layout, o)
	if err != nil {
		return nil, nil, err
	}
	out, err := f.native(op, a.attentionAttr, a.inputs, a.out, a.lse)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1:], nil
}

// FusedScaledDotProductAttentionVJP implements compute.Function.
func (f *Function) FusedScaledDotProductAttentionVJP(query, key, value compute.Value, layout compute.AttentionAxesLayout, o *compute.ScaledDotProductAttentionConfig, output compute.Value, states []compute.Value, dOutput compute.Value) (dQuery, dKey, dValue compute.Value, err error) {
	const op = compute.OpTypeFusedScaledDotProductAttentionVJP
	a, err := f.newAttention(op, query, key, value, layout, o)
	if err != nil {
		return nil, nil, nil, err
	}
	rest, err := f.cast(op, append([]compute.Value{output, dOutput}, states...))
	if err != nil {
		return nil, nil, nil, err
	}
	if len(states) != 1 || rest[2] == nil || !rest[2].shape.Equal(a.lse) || rest[0] == nil || !rest[0].shape.Equal(a.out) || rest[1] == nil || !rest[1].shape.Equal(a.out) {
		return nil, nil, nil, fmt.Errorf("%s: output, its gradient and state are not those of the forward call", op)
	}
	in, err := f.cast(op, a.inputs[:3])
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := f.native(op, a.attentionAttr, append(a.inputs, output, states[0], dOutput), in[0].shape, in[1].shape, in[2].shape)
	if err != nil {
		return nil, nil, nil, err
	}
	return out[0], out[1], out[2], nil
}
