package kernels

import (
	"math"
	"unsafe"
)

// toBF16 rounds to bfloat16 as the instruction does: to nearest, ties to even, denormals to zero, a NaN quiet.
func toBF16(x float32) uint16 {
	b := math.Float32bits(x)
	switch {
	case b&0x7f800000 == 0:
		return uint16(b>>16) & 0x8000
	case b&0x7fffffff > 0x7f800000:
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func fromBF16(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// packBF16 is PackB to bfloat16: panels of 32 columns, each row of a panel 32 words, each word the
// terms 2q (low half) and 2q+1 of a column; zeros fill up columns and terms.
func packBF16(p *Pool, k, n int, b Matrix) *PackedB {
	checkLen("Pack", "b", len(b.Data), b.length(k, n))
	pairs, panels := (k+1)/2, (n+narrowWide-1)/narrowWide
	r := &PackedB{format: BFloat16, k: k, n: n, panel: narrowWide, data: make([]float32, panels*pairs*narrowWide)}
	if k == 0 {
		return r
	}
	out := words(r.data)
	p.For(panels, max(1, 16384/(k*narrowWide)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			panel := out[i*pairs*narrowWide:]
			for j := i * narrowWide; j < min(n, (i+1)*narrowWide); j++ {
				for q := range k {
					panel[q/2*narrowWide+j%narrowWide] |= uint32(toBF16(b.at(q, j))) << (q % 2 * 16)
				}
			}
		}
	})
	return r
}

// words are floats as what they are in memory.
func words(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// floats are words as what a kernel moves.
func floats(x []uint32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// unpackBF16 gives the rounded matrix back.
func (b *PackedB) unpackBF16() Matrix {
	x, in, pairs := make([]float32, b.k*b.n), words(b.data), (b.k+1)/2
	for j := range b.n {
		for q := range b.k {
			x[q*b.n+j] = fromBF16(uint16(in[(j/narrowWide*pairs+q/2)*narrowWide+j%narrowWide] >> (q % 2 * 16)))
		}
	}
	return Matrix{Data: x, Stride: b.n}
}

// gemmBF16 is GemmPacked with bfloat16 operands: A is rounded into working memory, once a call. The
// products are exact in float32; each sum is one chain over pairs of terms, cut like that of Gemm.
// Denormal numbers count as zero.
func gemmBF16(p *Pool, m int, a Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	if Path() < AVX512BF16 && amxAssumed == nil {
		x, buf := roundedA(p, m, b.k, a)
		defer buf.release()
		Gemm(p, m, b.n, b.k, x, b.unpackBF16(), c, ldc, e)
		return
	}
	vectorBF16(p, m, a, b, c, ldc, e)
}

func vectorBF16(p *Pool, m int, a Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	pairs := (b.k + 1) / 2
	tiles := amxUse()
	x := Matrix{Stride: (pairs+15)&^15 + 16} // not a power of two
	rows := m
	upright := a.Transposed && tiles == nil // neighbouring terms may stand one above the other
	if upright {
		x = Matrix{Stride: (m+15)&^15 + 16, Transposed: true}
		rows = pairs
	}
	buf := scratch(rows * x.Stride)
	defer buf.release()
	x.Data = buf.data
	out := words(buf.data)
	if upright {
		p.For(pairs, max(1, 32768/m), func(lo, hi int) {
			for q := lo; q < hi; q++ {
				row := out[q*x.Stride:][:m]
				if 2*q+1 < b.k {
					pairRows(row, a.Data[2*q*a.Stride:], a.Data[(2*q+1)*a.Stride:])
					continue
				}
				for i, v := range a.Data[2*q*a.Stride:][:m] {
					row[i] = uint32(toBF16(v))
				}
			}
		})
	} else {
		eachRow(p, m, b.k, a, func(i int, row []float32) { roundPairs(out[i*x.Stride:][:pairs], row) })
	}
	if tiles != nil {
		gemmAMX(p, tiles, m, out, x.Stride, b, c, ldc, e)
		return
	}
	vectorGemm(p, bf16Tiles, 1, m, b.n, pairs, x, 0, Matrix{}, 0, b, c, ldc, 0, e)
}

// roundedA is A after rounding, in float32.
func roundedA(p *Pool, m, k int, a Matrix) (Matrix, *buffer) {
	buf := scratch(m * k)
	eachRow(p, m, k, a, func(i int, row []float32) {
		for q, v := range row {
			buf.data[i*k+q] = fromBF16(toBF16(v))
		}
	})
	return Matrix{Data: buf.data, Stride: k}, buf
}

// eachRow gives f the m rows of A, k terms each, wherever they lie.
func eachRow(p *Pool, m, k int, a Matrix, f func(i int, row []float32)) {
	const tile = 16 // rows that are brought together from columns at once
	p.For((m+tile-1)/tile, max(1, 65536/(tile*k)), func(lo, hi int) {
		var buf *buffer
		if a.Transposed {
			buf = scratch(tile * k)
			defer buf.release()
		}
		for r := lo * tile; r < min(m, hi*tile); r += tile {
			rows := min(tile, m-r)
			if a.Transposed {
				transposeRows(buf.data, a.Data[r:], k, rows, k, a.Stride)
			}
			for i := r; i < r+rows; i++ {
				if a.Transposed {
					f(i, buf.data[(i-r)*k:][:k])
				} else {
					f(i, a.Data[i*a.Stride:][:k])
				}
			}
		}
	})
}

// roundPairs rounds a row to words of two terms; a last odd one stands beside a zero.
func roundPairs(dst []uint32, row []float32) {
	whole := len(row) / 32
	if Path() < AVX512BF16 {
		whole = 0
	}
	if whole > 0 {
		_ = dst[whole*16-1]
		bf16Round(&dst[0], &row[0], whole)
	}
	for q := whole * 32; q < len(row); q += 2 {
		w := uint32(toBF16(row[q]))
		if q+1 < len(row) {
			w |= uint32(toBF16(row[q+1])) << 16
		}
		dst[q/2] = w
	}
}
