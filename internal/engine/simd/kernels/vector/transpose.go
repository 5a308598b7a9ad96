package vector

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// TransposeRows transposes rows×cols, source rows srcStride apart, destination rows dstStride.
func TransposeRows(dst, src []float32, rows, cols, dstStride, srcStride int) {
	if level.Current() == level.Off || rows < 8 || cols < 8 {
		plainTranspose(dst, src, rows, cols, dstStride, srcStride)
		return
	}
	r, c := rows&^7, cols&^7
	_, _ = dst[(cols-1)*dstStride+rows-1], src[(rows-1)*srcStride+cols-1]
	for i := 0; i < r; i += 8 {
		vecTranspose8(&dst[i], &src[i*srcStride], 4*dstStride, 4*srcStride, c/8)
	}
	if c < cols {
		plainTranspose(dst[c*dstStride:], src[c:], r, cols-c, dstStride, srcStride)
	}
	if r < rows {
		plainTranspose(dst[r:], src[r*srcStride:], rows-r, cols, dstStride, srcStride)
	}
}

func plainTranspose(dst, src []float32, rows, cols, dstStride, srcStride int) {
	if rows == 3 { // planes of a colour picture
		r, g, b := src[:cols], src[srcStride:][:cols], src[2*srcStride:][:cols]
		for j, v := range r {
			d := dst[j*dstStride:][:3]
			d[0], d[1], d[2] = v, g[j], b[j]
		}
		return
	}
	for i := range rows {
		for j, v := range src[i*srcStride:][:cols] {
			dst[j*dstStride+i] = v
		}
	}
}

// Permute writes src with its axes in another order: axis i of dst is axis perm[i] of src, as
// NumPy's transpose. dst must not overlap src.
func Permute(p *work.Pool, dst, src []float32, shape, perm []int) {
	n := 1
	for _, s := range shape {
		n *= s
	}
	work.CheckLen("Permute", "dst", len(dst), n)
	work.CheckLen("Permute", "src", len(src), n)
	if len(perm) != len(shape) {
		panic("kernels.Permute: perm and shape differ in length")
	}
	if n == 0 {
		return
	}
	sizes, strides := simplify(shape, perm)
	permute(p, dst, src, sizes, strides)
}

// simplify gives the sizes of dst's axes and their strides in src, without axes of one element and
// with axes that stay neighbours joined.
func simplify(shape, perm []int) (sizes, strides []int) {
	stride := make([]int, len(shape))
	s := 1
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = s
		s *= shape[i]
	}
	for _, a := range perm {
		if shape[a] == 1 {
			continue
		}
		if l := len(sizes) - 1; l >= 0 && strides[l] == shape[a]*stride[a] {
			sizes[l] *= shape[a]
			strides[l] = stride[a]
			continue
		}
		sizes = append(sizes, shape[a])
		strides = append(strides, stride[a])
	}
	if len(sizes) == 0 {
		return []int{1}, []int{1}
	}
	return sizes, strides
}

// permute copies runs where the last axis stays last, and transposes tiles where another axis of dst has stride 1.
func permute(p *work.Pool, dst, src []float32, sizes, strides []int) {
	last := len(sizes) - 1
	run := sizes[last]
	if strides[last] != 1 {
		for unit := range last {
			if strides[unit] == 1 {
				permuteTiles(p, dst, src, sizes, strides, unit)
				return
			}
		}
	}
	n := 1
	for _, s := range sizes[:last] {
		n *= s
	}
	step := strides[last]
	p.For(n, max(1, 8192/run), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			from := offset(i, sizes[:last], strides)
			to := dst[i*run:][:run]
			if step == 1 {
				copy(to, src[from:])
				continue
			}
			for j := range to {
				to[j] = src[from+j*step]
			}
		}
	})
}

// offset is where element i of the given axes starts in src.
func offset(i int, sizes, strides []int) (at int) {
	for a := len(sizes) - 1; a >= 0; a-- {
		at += i % sizes[a] * strides[a]
		i /= sizes[a]
	}
	return at
}

// permuteTiles transposes between the axis unit (stride 1 in src) and the last axis of dst.
func permuteTiles(p *work.Pool, dst, src []float32, sizes, strides []int, unit int) {
	last := len(sizes) - 1
	dstStride := 1 // of the axis unit in dst
	for _, s := range sizes[unit+1:] {
		dstStride *= s
	}
	// The other axes, with their strides on both sides.
	var others, from, to []int
	at := 1
	for a := last; a >= 0; a-- {
		if a != unit && a != last {
			others = append(others, sizes[a])
			from = append(from, strides[a])
			to = append(to, at)
		}
		at *= sizes[a]
	}
	n := 1
	for _, s := range others {
		n *= s
	}
	const tile = 32
	rows, cols := sizes[last], sizes[unit] // src rows are strides[last] apart
	tasks := (rows + tile - 1) / tile
	p.For(n*tasks, max(1, 8192/(tile*cols)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			o, r := i/tasks, i%tasks*tile
			s, d := offset(o, others, from), offset(o, others, to)
			TransposeRows(dst[d+r:], src[s+r*strides[last]:], min(tile, rows-r), cols, dstStride, strides[last])
		}
	})
}

// CopyRows32 copies rows of 32 floats, stride floats apart, one behind the other. It needs AVX-512.
func CopyRows32(dst, src []float32, stride, rows int) { widePack(&dst[0], &src[0], 4*stride, rows) }
