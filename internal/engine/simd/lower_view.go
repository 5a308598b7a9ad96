package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

func init() {
	lowerings[compute.OpTypeReshape] = lowerReshape
	lowerings[compute.OpTypeTranspose] = lowerTranspose
	lowerings[compute.OpTypeBroadcastInDim] = lowerBroadcast
	lowerings[compute.OpTypeSlice] = lowerSlice
	lowerings[compute.OpTypeIdentity] = lowerSame
	lowerings[compute.OpTypeOptimizationBarrier] = lowerSame
	lowerings[compute.OpTypeSchedulingBarrier] = lowerSame
}

// movable reports whether elements of the type can be addressed one by one.
func movable(d dtypes.DType) bool { return !d.IsPacked() }

func lowerReshape(c *compiler, n *node) (bool, error) {
	in, out := n.inputs[0], n.values[0]
	if !movable(in.dtype()) {
		return false, nil
	}
	r, err := c.view(in)
	if err != nil {
		return false, err
	}
	again, ok := r.reshape(out.dims())
	if !ok {
		if r, err = c.dense(in); err != nil {
			return false, err
		}
		again, _ = r.reshape(out.dims())
	}
	c.views[out] = again
	return true, nil
}

// lowerView is for operations whose result is another view of the operand.
func lowerView(c *compiler, n *node, f func(v view) view) (bool, error) {
	if !movable(n.inputs[0].dtype()) {
		return false, nil
	}
	r, err := c.view(n.inputs[0])
	if err != nil {
		return false, err
	}
	c.views[n.values[0]] = f(r)
	return true, nil
}

func lowerTranspose(c *compiler, n *node) (bool, error) {
	return lowerView(c, n, func(v view) view { return v.transpose(n.attr.(transposeAttr)) })
}

func lowerBroadcast(c *compiler, n *node) (bool, error) {
	return lowerView(c, n, func(v view) view { return v.broadcast(n.values[0].dims(), n.attr.(broadcastAttr)) })
}

func lowerSlice(c *compiler, n *node) (bool, error) {
	a := n.attr.(sliceAttr)
	return lowerView(c, n, func(v view) view { return v.slice(a.starts, a.strides, n.values[0].dims()) })
}

// lowerSame is for operations that give their operands back.
func lowerSame(c *compiler, n *node) (bool, error) {
	for i, v := range n.values {
		r, err := c.view(n.inputs[i])
		if err != nil {
			return false, err
		}
		c.views[v] = r
	}
	return true, nil
}

// copyStep copies the elements of a view to another of the same dims.
func (c *compiler) copyStep(to, from view) error {
	s, err := c.copying(to, from)
	if err != nil {
		return err
	}
	return c.emit(s)
}

func (c *compiler) copying(to, from view) (step, error) {
	move, err := mover(to.slot.dtype)
	pool := c.pool
	return step{name: "copy", reads: []*slot{from.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		move(pool, f.flat[to.slot.id], to, f.flat[from.slot.id], from)
		return nil
	}}, err
}

// mover gives the function that copies between views of a type.
func mover(d dtypes.DType) (func(p *work.Pool, dst any, to view, src any, from view), error) {
	switch d {
	case dtypes.Float32:
		return move[float32], nil
	case dtypes.Bool:
		return move[bool], nil
	case dtypes.Int32:
		return move[int32], nil
	case dtypes.Int64:
		return move[int64], nil
	}
	if d.IsPacked() {
		return func(_ *work.Pool, dst any, _ view, src any, _ view) { dtypes.CopyAnySlice(dst, src) }, nil
	}
	switch d.Size() {
	case 1:
		return moveBytes[uint8], nil
	case 2:
		return moveBytes[uint16], nil
	case 4:
		return moveBytes[uint32], nil
	case 8:
		return moveBytes[uint64], nil
	}
	return nil, fmt.Errorf("copy elements of type %s: not a type of this backend", d)
}

func move[T any](p *work.Pool, dst any, to view, src any, from view) {
	if to.size() == 0 {
		return
	}
	vector.Move(p, dst.([]T)[to.offset:], to.strides, src.([]T)[from.offset:], from.strides, to.dims)
}

// moveBytes is move for types that are moved as integers of their size.
func moveBytes[T uint8 | uint16 | uint32 | uint64](p *work.Pool, dst any, to view, src any, from view) {
	if to.size() == 0 {
		return
	}
	vector.Move(p, asIntegers[T](dst)[to.offset:], to.strides, asIntegers[T](src)[from.offset:], from.strides, to.dims)
}
