package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

func init() {
	lowerings[compute.OpTypeGather] = lowerGather
	lowerings[compute.OpTypeScatterSum] = lowerScatter
}

// lowerGather takes the form of an embedding: rows of a table [rows, …] by indices […, 1], with the row's axes last.
func lowerGather(c *compiler, n *node) (bool, error) {
	a := n.attr.(gatherAttr)
	table, at, out := n.inputs[0], n.inputs[1], n.values[0]
	rank, batch := table.shape.Rank(), at.shape.Rank()-1
	if table.dtype() != dtypes.Float32 || at.dtype() != dtypes.Int32 || rank < 2 || table.size() == 0 ||
		a.vectorAxis != batch || at.dims()[batch] != 1 ||
		!slices.Equal(a.start, []int{0}) || !slices.Equal(a.collapsed, []int{0}) ||
		!slices.Equal(a.sizes[1:], table.dims()[1:]) || !slices.Equal(a.offsetAxes, seqFrom(batch, rank-1)) {
		return false, nil
	}
	from, err := c.dense(table)
	if err != nil {
		return false, err
	}
	index, err := c.dense(at)
	if err != nil {
		return false, err
	}
	to := c.define(out)
	rows, width, count := table.dims()[0], product(table.dims()[1:]), at.size()
	pool := c.pool
	return true, c.emit(step{name: "gather", reads: []*slot{from.slot, index.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		if count == 0 {
			return nil
		}
		dst, src, at := f.read(to), f.read(from), f.flat[index.slot.id].([]int32)[index.offset:][:count]
		pool.For(count, max(1, 8192/width), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				r := min(max(int(at[i]), 0), rows-1)
				copy(dst[i*width:][:width], src[r*width:])
			}
		})
		return nil
	}})
}

// seqFrom is n numbers from first on.
func seqFrom(first, n int) []int {
	r := make([]int, n)
	for i := range r {
		r[i] = first + i
	}
	return r
}

// lowerScatter takes the gradient of an embedding: rows of updates added to the rows of a table that indices […, 1]
// name, in their order. Indices outside the table are left out.
func lowerScatter(c *compiler, n *node) (bool, error) {
	a := n.attr.(scatterAttr)
	table, at, updates, out := n.inputs[0], n.inputs[1], n.inputs[2], n.values[0]
	rank, batch := table.shape.Rank(), at.shape.Rank()-1
	if table.dtype() != dtypes.Float32 || at.dtype() != dtypes.Int32 || rank < 2 || table.size() == 0 ||
		a.vectorAxis != batch || at.dims()[batch] != 1 ||
		!slices.Equal(a.inserted, []int{0}) || !slices.Equal(a.operand, []int{0}) ||
		!slices.Equal(a.window, seqFrom(batch, rank-1)) || !slices.Equal(updates.dims()[batch:], table.dims()[1:]) {
		return false, nil
	}
	base, err := c.view(table)
	if err != nil {
		return false, err
	}
	index, err := c.dense(at)
	if err != nil {
		return false, err
	}
	from, err := c.dense(updates)
	if err != nil {
		return false, err
	}
	to := c.define(out)
	rows, width, count := table.dims()[0], product(table.dims()[1:]), at.size()
	pool := c.pool
	s := step{name: "scatter", reads: []*slot{base.slot, index.slot, from.slot}, writes: []*slot{to.slot}}
	s.run = func(f *frame) error {
		move[float32](pool, f.flat[to.slot.id], to, f.flat[base.slot.id], base)
		if count == 0 {
			return nil
		}
		dst, src, at := f.read(to), f.read(from), f.flat[index.slot.id].([]int32)[index.offset:][:count]
		for i, r := range at {
			if r < 0 || int(r) >= rows {
				continue
			}
			d := dst[int(r)*width:][:width]
			for j, v := range src[i*width:][:width] {
				d[j] += v
			}
		}
		return nil
	}
	return true, c.emit(s)
}
