package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/conv"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

func init() { lowerings[opFoldedConvolution] = lowerFolded }

// convolution is a convolution without dilations as the kernels see it, and the views of its operands.
func (c *compiler) convolution(a convAttr, x, w *value) (g conv.General, vx, vw view, err error) {
	if vx, err = c.packedView(x); err != nil {
		return g, vx, vw, err
	}
	if vw, err = c.packedView(w); err != nil {
		return g, vx, vw, err
	}
	g = a.general(x, w)
	copy(g.X[:], pick(vx.strides, a.axesX()))
	copy(g.W[:], pick(vw.strides, a.axesW()))
	return g, vx, vw, nil
}

func lowerFolded(c *compiler, n *node) (bool, error) {
	a := n.attr.(foldedConv)
	g, vx, vw, err := c.convolution(a.convAttr, n.inputs[0], n.inputs[1])
	if err != nil {
		return false, err
	}
	g.Rounded = c.backend.rounded
	s := step{reads: []*slot{vx.slot}, flop: g.FLOP()}
	fixed := vw.slot.kind == constant
	weights := []*slot{vw.slot}
	rows := make([]view, len(a.steps))
	for i, t := range a.steps {
		if rows[i], err = c.dense(n.inputs[t.input]); err != nil {
			return false, err
		}
		weights = append(weights, rows[i].slot)
		fixed = fixed && rows[i].slot.kind == constant
	}
	var residual *view
	if a.residual != 0 {
		r, err := c.dense(n.inputs[a.residual])
		if err != nil {
			return false, err
		}
		residual, s.reads = &r, append(s.reads, r.slot)
	}
	var packed *conv.Packed
	if fixed && s.reads[0].kind != constant {
		scale, shift := a.affine(c.now, rows, g.Out)
		packed = g.Pack(c.now.read(vw), scale, shift)
		s.packed = packed.Bytes()
	} else {
		s.reads = append(s.reads, weights...)
	}
	y := c.define(n.values[0])
	s.writes = []*slot{y.slot}
	if residual != nil && residual.covers() && vx.slot != residual.slot && !slices.Contains(weights, residual.slot) {
		s.over = [][2]*slot{{y.slot, residual.slot}}
	}
	if s.name = convolutionName(g); residual != nil || len(a.steps) > 0 || a.act != vector.NoActivation {
		s.name += ", folded"
	}
	pool, size, act := c.pool, n.values[0].size(), a.act
	s.run = func(f *frame) error {
		rest := f.optional(residual)
		if rest != nil {
			rest = rest[:size]
		}
		if packed != nil {
			packed.Run(pool, f.read(y)[:size], f.read(vx), rest, act)
			return nil
		}
		scale, shift := a.affine(f, rows, g.Out)
		g.Forward(pool, f.read(y)[:size], f.read(vx), f.read(vw), scale, shift, rest, act)
		return nil
	}
	return true, c.emit(s)
}

// affine gives what the steps make of a channel: scale·v + shift.
func (a foldedConv) affine(f *frame, rows []view, channels int) (scale, shift []float32) {
	if len(a.steps) == 0 {
		return nil, nil
	}
	scale, shift = make([]float32, channels), make([]float32, channels)
	for o := range channels {
		m, b := 1.0, 0.0
		for i, t := range a.steps {
			row := f.read(rows[i])
			v := float64(row[0])
			if rows[i].size() > 1 {
				v = float64(row[o])
			}
			switch t.op {
			case compute.OpTypeAdd:
				b += v
			case compute.OpTypeSub:
				b -= v
			case compute.OpTypeMul:
				m, b = m*v, b*v
			case compute.OpTypeDiv:
				m, b = m/v, b/v
			}
		}
		scale[o], shift[o] = float32(m), float32(b)
	}
	return scale, shift
}
