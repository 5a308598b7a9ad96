package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

func init() {
	for op, k := range map[compute.OpType]vector.ReduceOp{
		compute.OpTypeReduceSum: vector.Sum, compute.OpTypeReduceMax: vector.Maximum, compute.OpTypeReduceMin: vector.Minimum,
	} {
		lowerings[op] = func(c *compiler, n *node) (bool, error) { return lowerReduce(c, n, k) }
	}
	lowerings[opSumOfSquares] = lowerSumOfSquares
}

// lowerReduce reduces runs of neighbouring axes, the last run first.
func lowerReduce(c *compiler, n *node, op vector.ReduceOp) (bool, error) {
	in, out := n.inputs[0], n.values[0]
	if in.dtype() != dtypes.Float32 {
		return false, nil
	}
	axes := slices.Clone([]int(n.attr.(reduceAttr)))
	if len(axes) == 0 {
		axes = seq(in.shape.Rank())
	}
	slices.Sort(axes)
	from, err := c.dense(in)
	if err != nil {
		return false, err
	}
	dims := slices.Clone(in.dims())
	for len(axes) > 0 {
		last := axes[len(axes)-1]
		first := last
		for len(axes) > 0 && axes[len(axes)-1] == first {
			axes = axes[:len(axes)-1]
			first--
		}
		first++
		outer, middle, inner := product(dims[:first]), product(dims[first:last+1]), product(dims[last+1:])
		dims = append(slices.Clone(dims[:first]), dims[last+1:]...)
		var to view
		if len(axes) == 0 {
			to = c.define(out)
		} else {
			to = whole(c.slot(dtypes.Float32, outer*inner), []int{outer * inner})
		}
		if err := c.reduceStep(op, to, from, outer, middle, inner); err != nil {
			return false, err
		}
		from = to
	}
	if _, ok := c.views[out]; !ok { // no axis at all: a scalar
		c.views[out] = from
	}
	return true, nil
}

func (c *compiler) reduceStep(op vector.ReduceOp, to, from view, outer, middle, inner int) error {
	pool := c.pool
	s := step{name: "reduce", reads: []*slot{from.slot}, writes: []*slot{to.slot}}
	switch {
	case outer == 1 && inner == 1:
		s.run = func(f *frame) error {
			f.read(to)[0] = vector.Total(pool, op, f.read(from)[:middle])
			return nil
		}
	default:
		s.run = func(f *frame) error {
			vector.ReduceMiddle(pool, op, f.read(to), f.read(from), outer, middle, inner)
			return nil
		}
	}
	return c.emit(s)
}

func lowerSumOfSquares(c *compiler, n *node) (bool, error) {
	from, err := c.dense(n.inputs[0])
	if err != nil {
		return false, err
	}
	to, pool, size := c.define(n.values[0]), c.pool, n.inputs[0].size()
	return true, c.emit(step{name: "sum of squares", reads: []*slot{from.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		x := f.read(from)[:size]
		f.read(to)[0] = vector.Dot(pool, x, x)
		return nil
	}})
}
