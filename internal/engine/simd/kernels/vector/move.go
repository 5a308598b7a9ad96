package vector

import "github.com/groupvit/groupvit/internal/engine/simd/kernels/work"

// Move copies an array of the given sizes between two memories, whose elements lie the given distances apart along
// each axis; a distance of 0 in src repeats elements. dst must not overlap src.
func Move[T any](p *work.Pool, dst []T, to []int, src []T, from []int, sizes []int) {
	n := elementsOf(sizes)
	if n == 0 {
		return
	}
	joined, strides := joinAll(sizes, [][]int{to, from})
	to, from = strides[0], strides[1]
	if d, ok := any(dst).([]float32); ok && rowMajor(joined, to) {
		permute(p, d, any(src).([]float32), joined, from)
		return
	}
	last := len(joined) - 1
	run, a, b := joined[last], to[last], from[last]
	p.For(n/run, max(1, 8192/run), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			d, s := dst[offset(i, joined[:last], to):], src[offset(i, joined[:last], from):]
			if a == 1 && b == 1 {
				copy(d[:run], s)
				continue
			}
			for j := range run {
				d[j*a] = s[j*b]
			}
		}
	})
}

func rowMajor(sizes, strides []int) bool {
	n := 1
	for i := len(sizes) - 1; i >= 0; i-- {
		if sizes[i] != 1 && strides[i] != n {
			return false
		}
		n *= sizes[i]
	}
	return true
}

// elementsOf is how many elements an array of the given sizes has.
func elementsOf(sizes []int) int {
	n := 1
	for _, s := range sizes {
		n *= s
	}
	return n
}
