package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/attention"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

func init() {
	lowerings[compute.OpTypeFusedSoftmax] = lowerSoftmax
	lowerings[compute.OpTypeFusedLayerNorm] = lowerLayerNorm
	lowerings[compute.OpTypeFusedScaledDotProductAttention] = lowerAttention
	lowerings[compute.OpTypeFusedScaledDotProductAttentionVJP] = lowerAttentionGradient
}

// lowerSoftmax runs along the last axis; another one is brought there and back.
func lowerSoftmax(c *compiler, n *node) (bool, error) {
	in, out := n.inputs[0], n.values[0]
	if in.dtype() != dtypes.Float32 {
		return false, nil
	}
	axis, rank := int(n.attr.(softmaxAttr)), in.shape.Rank()
	order := append(rest(rank, []int{axis}), axis)
	r, err := c.view(in)
	if err != nil {
		return false, err
	}
	from := r.transpose(order)
	if !from.dense() {
		to := whole(c.slot(dtypes.Float32, in.size()), from.dims)
		if err := c.copyStep(to, from); err != nil {
			return false, err
		}
		from = to
	}
	to := whole(c.slot(dtypes.Float32, in.size()), from.dims)
	cols := in.dims()[axis]
	rows := 0
	if cols > 0 {
		rows = in.size() / cols
	}
	back := make([]int, rank)
	for i, a := range order {
		back[a] = i
	}
	c.views[out] = to.transpose(back)
	pool := c.pool
	s := step{name: "softmax", reads: []*slot{from.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		vector.Softmax(pool, f.read(to), f.read(from), rows, cols)
		return nil
	}}
	if from.covers() {
		s.over = [][2]*slot{{to.slot, from.slot}}
	}
	return true, c.emit(s)
}

// lowerLayerNorm takes the last axes.
func lowerLayerNorm(c *compiler, n *node) (bool, error) {
	in, out := n.inputs[0], n.values[0]
	a := n.attr.(layerNormAttr)
	rank := in.shape.Rank()
	if in.dtype() != dtypes.Float32 || in.size() == 0 {
		return false, nil
	}
	for i, axis := range a.axes {
		if axis != rank-len(a.axes)+i && axis != i-len(a.axes) {
			return false, nil
		}
	}
	from, err := c.dense(in)
	if err != nil {
		return false, err
	}
	s := step{name: "layernorm", reads: []*slot{from.slot}}
	var gamma, beta *view
	for i, to := range []**view{&gamma, &beta} {
		if v := n.inputs[1+i]; v != nil {
			r, err := c.dense(v)
			if err != nil {
				return false, err
			}
			*to = &r
			s.reads = append(s.reads, r.slot)
		}
	}
	cols := product(in.dims()[rank-len(a.axes):])
	rows := in.size() / cols
	to := c.define(out)
	s.writes = []*slot{to.slot}
	if from.covers() && !slices.Contains(s.reads[1:], from.slot) {
		s.over = [][2]*slot{{to.slot, from.slot}}
	}
	pool, eps := c.pool, float32(a.epsilon)
	s.run = func(f *frame) error {
		vector.LayerNorm(pool, f.read(to), nil, nil, f.read(from), f.optional(gamma), f.optional(beta), rows, cols, eps)
		return nil
	}
	return true, c.emit(s)
}

// optional reads a view that may be missing.
func (f *frame) optional(v *view) []float32 {
	if v == nil {
		return nil
	}
	return f.read(*v)
}

// attentionStep is what attention and its gradient have in common: the operands.
type attentionStep struct {
	attention.Attention
	query, key, value view
	bias              *view
	reads             []*slot
}

func newAttentionStep(c *compiler, n *node) (*attentionStep, error) {
	a := n.attr.(attentionAttr)
	s := &attentionStep{}
	for i, to := range []*view{&s.query, &s.key, &s.value} {
		r, err := c.dense(n.inputs[i])
		if err != nil {
			return nil, err
		}
		*to = r
		s.reads = append(s.reads, r.slot)
	}
	q, k := n.inputs[0].dims(), n.inputs[1].dims()
	seq, heads := 2, 1
	if a.layout == attention.BSHD {
		seq, heads = 1, 2
	}
	s.Attention = attention.Attention{Batch: q[0], Heads: q[heads], Queries: q[seq], Keys: k[seq], Width: q[3],
		ValueWidth: n.inputs[2].dims()[3], Layout: a.layout, Scale: a.scale, Causal: a.causal}
	if !a.biased {
		return s, nil
	}
	b, err := c.view(n.inputs[3])
	if err != nil {
		return nil, err
	}
	b = expand(b, []int{s.Batch, s.Heads, s.Queries, s.Keys})
	if b.strides[3] != 1 && s.Keys > 1 {
		if b, err = c.dense(n.inputs[3]); err != nil {
			return nil, err
		}
		b = expand(b, []int{s.Batch, s.Heads, s.Queries, s.Keys})
	}
	s.bias, s.BiasStrides = &b, [3]int(b.strides)
	s.reads = append(s.reads, b.slot)
	return s, nil
}

// flop counts products along the heads' widths and the values' widths.
func (s *attentionStep) flop(widths, values int) float64 {
	return 2 * float64(s.Batch*s.Heads) * float64(s.Queries) * float64(s.Keys) * float64(widths*s.Width+values*s.ValueWidth)
}

// at gives the attention with the bias of an execution.
func (s *attentionStep) at(f *frame) attention.Attention {
	a := s.Attention
	a.Bias = f.optional(s.bias)
	return a
}

func lowerAttention(c *compiler, n *node) (bool, error) {
	s, err := newAttentionStep(c, n)
	if err != nil {
		return false, err
	}
	out := c.define(n.values[0])
	writes := []*slot{out.slot}
	var lse *view // for the gradient alone
	if v := n.values[1]; len(v.users) > 0 || v.output {
		r := c.define(v)
		lse, writes = &r, append(writes, r.slot)
	}
	pool := c.pool
	name := fmt.Sprintf("attention %dx%dx%dx%dx%d", s.Batch, s.Heads, s.Queries, s.Keys, s.Width)
	// A gradient computes the scores again, in float32: what it continues is not rounded.
	if lse == nil && c.backend.weights != tile.Float32 && roundsAttention() {
		s.Rounded = true
		name += " " + tile.BFloat16.String()
	}
	return true, c.emit(step{name: name, flop: s.flop(1, 1), reads: s.reads, writes: writes, run: func(f *frame) error {
		s.at(f).Forward(pool, f.read(out), f.optional(lse), f.read(s.query), f.read(s.key), f.read(s.value))
		return nil
	}})
}

// roundsAttention reports whether attention's products are rounded to bfloat16 where a precision below float32 was
// asked for.
func roundsAttention() bool {
	return level.Current() >= tile.BFloat16.Level() && tile.PairsPay()
}

func lowerAttentionGradient(c *compiler, n *node) (bool, error) {
	s, err := newAttentionStep(c, n)
	if err != nil {
		return false, err
	}
	first := len(n.inputs) - 3
	var rest [3]view // output, state, output's gradient
	for i := range rest {
		if rest[i], err = c.dense(n.inputs[first+i]); err != nil {
			return false, err
		}
		s.reads = append(s.reads, rest[i].slot)
	}
	dq, dk, dv := c.define(n.values[0]), c.define(n.values[1]), c.define(n.values[2])
	pool := c.pool
	return true, c.emit(step{name: "attention gradient", flop: s.flop(3, 2), reads: s.reads, writes: []*slot{dq.slot, dk.slot, dv.slot}, run: func(f *frame) error {
		s.at(f).Grad(pool, f.read(dq), f.read(dk), f.read(dv), f.read(s.query), f.read(s.key), f.read(s.value),
			f.read(rest[0]), f.read(rest[1]), f.read(rest[2]))
		return nil
	}})
}
