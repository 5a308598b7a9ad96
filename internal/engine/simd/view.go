package simd

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
)

// view says where the elements of a value lie: element i of the shape is at offset + Σ i·strides of a slot's memory,
// counted in elements. An axis that is broadcast has stride 0.
type view struct {
	slot    *slot
	dims    []int
	offset  int
	strides []int
}

// slot is a piece of memory that steps read and write.
type slot struct {
	id    int
	dtype dtypes.DType
	size  int // elements
	kind  slotKind
	index int // of the parameter or output
	data  any // of a constant
	// content is the fingerprint of a large constant.
	content fingerprint
	// By plan: the steps that write it first and touch it last, and the place in the arena (bytes).
	first, last int
	place       int
	// reuse is the parameter whose memory an output takes if the caller gives it away, or nil.
	reuse *slot
}

type slotKind uint8

const (
	inArena slotKind = iota
	parameter
	constant
	output
)

// denseStrides are those of row-major order.
func denseStrides(dims []int) []int {
	s := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		s[i] = n
		n *= dims[i]
	}
	return s
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// whole is the view of all of a slot, row-major.
func whole(s *slot, dims []int) view {
	return view{slot: s, dims: dims, strides: denseStrides(dims)}
}

func (v view) size() int { return product(v.dims) }

// dense reports whether the elements lie row-major without gaps.
func (v view) dense() bool {
	n := 1
	for i := len(v.dims) - 1; i >= 0; i-- {
		if v.dims[i] != 1 && v.strides[i] != n {
			return v.size() == 0
		}
		n *= v.dims[i]
	}
	return true
}

// covers reports whether the view is exactly its slot, row-major.
func (v view) covers() bool { return v.offset == 0 && v.dense() && v.size() == v.slot.size }

// transpose gives the view with axis i being axis perm[i].
func (v view) transpose(perm []int) view {
	r := view{slot: v.slot, offset: v.offset, dims: make([]int, len(perm)), strides: make([]int, len(perm))}
	for i, p := range perm {
		r.dims[i], r.strides[i] = v.dims[p], v.strides[p]
	}
	return r
}

// broadcast gives the view as dims, axis i of v being axis axes[i].
func (v view) broadcast(dims, axes []int) view {
	r := view{slot: v.slot, offset: v.offset, dims: slices.Clone(dims), strides: make([]int, len(dims))}
	for i, a := range axes {
		if v.dims[i] != 1 {
			r.strides[a] = v.strides[i]
		}
	}
	return r
}

// slice gives part of the view.
func (v view) slice(starts, steps, dims []int) view {
	r := view{slot: v.slot, offset: v.offset, dims: slices.Clone(dims), strides: slices.Clone(v.strides)}
	if product(dims) == 0 {
		return whole(v.slot, r.dims)
	}
	for i, s := range starts {
		r.offset += s * v.strides[i]
		if len(steps) > 0 {
			r.strides[i] *= steps[i]
		}
	}
	return r
}

// reshape gives the view in other dims, or ok false if the elements would have to move.
func (v view) reshape(dims []int) (r view, ok bool) {
	if v.size() == 0 || v.dense() {
		return view{slot: v.slot, offset: v.offset, dims: slices.Clone(dims), strides: denseStrides(dims)}, true
	}
	// Cut both shapes into the shortest runs of axes of equal size; each old run must be one axis in memory.
	strides := make([]int, len(dims))
	i, j := 0, 0
	for i < len(v.dims) || j < len(dims) {
		i0, j0, n, m := i, j, 1, 1
		if i < len(v.dims) {
			n, i = v.dims[i], i+1
		}
		if j < len(dims) {
			m, j = dims[j], j+1
		}
		for n != m {
			if n < m {
				n, i = n*v.dims[i], i+1
			} else {
				m, j = m*dims[j], j+1
			}
		}
		step, one := joinAxes(v.dims[i0:i], v.strides[i0:i])
		if !one {
			return view{}, false
		}
		for a := j - 1; a >= j0; a-- {
			strides[a] = step
			step *= dims[a]
		}
	}
	return view{slot: v.slot, offset: v.offset, dims: slices.Clone(dims), strides: strides}, true
}

// joinAxes reports whether axes can be walked as one, and with what stride.
func joinAxes(dims, strides []int) (stride int, ok bool) {
	first := true
	next := 0
	for i := len(dims) - 1; i >= 0; i-- {
		if dims[i] == 1 {
			continue
		}
		if first {
			stride, next, first = strides[i], strides[i]*dims[i], false
			continue
		}
		if strides[i] != next {
			return 0, false
		}
		next *= dims[i]
	}
	return stride, true
}

// pick gives the axes of the view in another order, leaving out the rest.
func pick(xs, axes []int) []int {
	r := make([]int, len(axes))
	for i, a := range axes {
		r[i] = xs[a]
	}
	return r
}
