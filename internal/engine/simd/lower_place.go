package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

func init() {
	lowerings[compute.OpTypeConcatenate] = lowerConcatenate
	lowerings[compute.OpTypePad] = lowerPad
}

// lowerConcatenate copies each operand to its part of the result.
func lowerConcatenate(c *compiler, n *node) (bool, error) {
	axis, out := int(n.attr.(concatAttr)), n.values[0]
	move, err := mover(out.dtype())
	if err != nil || !movable(out.dtype()) {
		return false, nil
	}
	s := step{name: "concatenate"}
	var from []view
	for _, v := range n.inputs {
		r, err := c.view(v)
		if err != nil {
			return false, err
		}
		from, s.reads = append(from, r), append(s.reads, r.slot)
	}
	to := c.define(out)
	s.writes = []*slot{to.slot}
	var parts []view
	at := 0
	for _, r := range from {
		starts := make([]int, len(to.dims))
		starts[axis] = at
		parts = append(parts, to.slice(starts, nil, r.dims))
		at += r.dims[axis]
	}
	pool := c.pool
	s.run = func(f *frame) error {
		for i, r := range from {
			move(pool, f.flat[to.slot.id], parts[i], f.flat[r.slot.id], r)
		}
		return nil
	}
	return true, c.emit(s)
}

// lowerPad fills the result and copies the operand into it. Padding that cuts off elements is left to others.
func lowerPad(c *compiler, n *node) (bool, error) {
	in, fill, out := n.inputs[0], n.inputs[1], n.values[0]
	axes := slices.Clone([]compute.PadAxis(n.attr.(padAttr)))
	axes = append(axes, make([]compute.PadAxis, in.shape.Rank()-len(axes))...)
	for _, a := range axes {
		if a.Start < 0 || a.End < 0 || a.Interior < 0 {
			return false, nil
		}
	}
	if in.dtype() != dtypes.Float32 || in.size() == 0 {
		return false, nil
	}
	from, err := c.view(in)
	if err != nil {
		return false, err
	}
	with, err := c.view(fill)
	if err != nil {
		return false, err
	}
	to := c.define(out)
	part := to
	part.dims, part.strides = from.dims, slices.Clone(to.strides)
	for i, a := range axes {
		part.offset += a.Start * to.strides[i]
		part.strides[i] *= a.Interior + 1
	}
	pool, size := c.pool, out.size()
	return true, c.emit(step{name: "pad", reads: []*slot{from.slot, with.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		x, v := f.read(to)[:size], f.read(with)[0]
		pool.For(size, 8192, func(lo, hi int) {
			for i := range x[lo:hi] {
				x[lo+i] = v
			}
		})
		move[float32](pool, f.flat[to.slot.id], part, f.flat[from.slot.id], from)
		return nil
	}})
}
