package tile

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// SlabRows is how many rows are packed at once.
const SlabRows = 16

// PackPanels packs count matrices k×n into panels of width columns.
func PackPanels(p *work.Pool, dst []float32, b Matrix, stride, count, k, n, width int) {
	panels := (n + width - 1) / width
	if !b.Transposed && panels > 1 {
		// Slab by slab of rows: memory is read in order, and each panel gets a run of whole lines.
		slabs := (k + SlabRows - 1) / SlabRows
		p.For(count*slabs, max(1, 16384/(SlabRows*n)), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				from := i % slabs * SlabRows
				PackSlab(dst[i/slabs*panels*k*width:], b, i/slabs*stride, from, min(k, from+SlabRows), k, n, width)
			}
		})
		return
	}
	p.For(count*panels, max(1, 16384/(k*width)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			PackPanel(dst[i*k*width:], b, i/panels*stride, k, n, i%panels*width, width)
		}
	})
}

// PackSlab packs rows from … to of the matrix at start into all panels.
func PackSlab(dst []float32, b Matrix, start, from, to, k, n, width int) {
	if from == to {
		return
	}
	wide := width == 32 && level.Current() >= level.AVX512 && !plainTiles
	whole := n / width * width
	for j := 0; j < whole; j += width {
		src, dst := b.Data[start+from*b.Stride+j:], dst[j*k+from*width:][:(to-from)*width]
		_ = src[(to-from-1)*b.Stride+width-1]
		switch {
		case wide:
			vector.CopyRows32(dst, src, b.Stride, to-from)
		case width == 16: // array copies need no call
			for q := range to - from {
				*(*[16]float32)(dst[q*16:]) = *(*[16]float32)(src[q*b.Stride:])
			}
		default:
			for q := range to - from {
				copy(dst[q*width:][:width], src[q*b.Stride:])
			}
		}
	}
	if whole == n {
		return
	}
	for q := from; q < to; q++ {
		row := dst[whole*k+q*width:][:width]
		clear(row[copy(row[:n-whole], b.Data[start+q*b.Stride+whole:]):])
	}
}

// PackPanel packs columns j … j+width of the matrix at start: term by term, filled up with zeros.
func PackPanel(dst []float32, b Matrix, start, k, n, j, width int) {
	w := min(width, n-j)
	dst = dst[:k*width]
	if b.Transposed {
		if w < width {
			clear(dst)
		}
		vector.TransposeRows(dst, b.Data[start+j*b.Stride:], w, k, width, b.Stride)
		return
	}
	b.Data = b.Data[j:]
	PackSlab(dst, b, start, 0, k, k, w, width)
}
