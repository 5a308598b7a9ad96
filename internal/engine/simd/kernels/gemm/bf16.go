package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// packBF16 is PackB to bfloat16: panels of 32 columns, each row of a panel 32 words, each word the
// terms 2q (low half) and 2q+1 of a column; zeros fill up columns and terms.
func packBF16(p *work.Pool, k, n int, b tile.Matrix) *PackedB {
	work.CheckLen("Pack", "b", len(b.Data), b.Length(k, n))
	pairs, panels := (k+1)/2, (n+tile.NarrowWide-1)/tile.NarrowWide
	r := &PackedB{format: tile.BFloat16, k: k, n: n, panel: tile.NarrowWide, data: make([]float32, panels*pairs*tile.NarrowWide)}
	if k == 0 {
		return r
	}
	out := tile.Words(r.data)
	p.For(panels, max(1, 16384/(k*tile.NarrowWide)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			panel := out[i*pairs*tile.NarrowWide:]
			for j := i * tile.NarrowWide; j < min(n, (i+1)*tile.NarrowWide); j++ {
				for q := range k {
					panel[q/2*tile.NarrowWide+j%tile.NarrowWide] |= uint32(tile.ToBF16(b.At(q, j))) << (q % 2 * 16)
				}
			}
		}
	})
	return r
}

// unpackBF16 gives the rounded matrix back.
func (b *PackedB) unpackBF16() tile.Matrix {
	x, in, pairs := make([]float32, b.k*b.n), tile.Words(b.data), (b.k+1)/2
	for j := range b.n {
		for q := range b.k {
			x[q*b.n+j] = tile.FromBF16(uint16(in[(j/tile.NarrowWide*pairs+q/2)*tile.NarrowWide+j%tile.NarrowWide] >> (q % 2 * 16)))
		}
	}
	return tile.Matrix{Data: x, Stride: b.n}
}

// runBF16 is Run with operands in bfloat16: A is rounded into working memory, once a call. The
// products are exact in float32; each sum is one chain over pairs of terms, cut like that of Run.
// Denormal numbers count as zero.
func (x Product) runBF16(p *work.Pool) {
	if level.Current() < level.AVX512BF16 && amx.Use() == nil {
		a, buf := roundedA(p, x.M, x.K, x.A)
		defer buf.Release()
		x.A, x.B, x.Packed = a, x.Packed.unpackBF16(), nil
		x.Run(p)
		return
	}
	x.vectorBF16(p)
}

func (x Product) vectorBF16(p *work.Pool) {
	m, k, a := x.M, x.K, x.A
	pairs := (k + 1) / 2
	tiles := amx.Use()
	x.A = tile.Matrix{Stride: (pairs+15)&^15 + 16} // not a power of two
	rows := m
	upright := a.Transposed && tiles == nil // neighbouring terms may stand one above the other
	if upright {
		x.A = tile.Matrix{Stride: (m+15)&^15 + 16, Transposed: true}
		rows = pairs
	}
	buf := work.Scratch(rows * x.A.Stride)
	defer buf.Release()
	x.A.Data = buf.Data
	out := tile.Words(buf.Data)
	if upright {
		p.For(pairs, max(1, 32768/m), func(lo, hi int) {
			for q := lo; q < hi; q++ {
				row := out[q*x.A.Stride:][:m]
				if 2*q+1 < k {
					tile.PairRows(row, a.Data[2*q*a.Stride:], a.Data[(2*q+1)*a.Stride:])
					continue
				}
				for i, v := range a.Data[2*q*a.Stride:][:m] {
					row[i] = uint32(tile.ToBF16(v))
				}
			}
		})
	} else {
		eachRow(p, m, k, a, func(i int, row []float32) { tile.RoundPairs(out[i*x.A.Stride:][:pairs], row) })
	}
	if tiles != nil {
		x.byTiles(p, tiles)
		return
	}
	x.K = pairs
	x.runVector(p, tile.BF16Tiles)
}

// roundedA is A after rounding, in float32.
func roundedA(p *work.Pool, m, k int, a tile.Matrix) (tile.Matrix, *work.Buffer) {
	buf := work.Scratch(m * k)
	eachRow(p, m, k, a, func(i int, row []float32) {
		for q, v := range row {
			buf.Data[i*k+q] = tile.FromBF16(tile.ToBF16(v))
		}
	})
	return tile.Matrix{Data: buf.Data, Stride: k}, buf
}

// eachRow gives f the m rows of A, k terms each, wherever they lie.
func eachRow(p *work.Pool, m, k int, a tile.Matrix, f func(i int, row []float32)) {
	const group = 16 // rows that are brought together from columns at once
	p.For((m+group-1)/group, max(1, 65536/(group*k)), func(lo, hi int) {
		var buf *work.Buffer
		if a.Transposed {
			buf = work.Scratch(group * k)
			defer buf.Release()
		}
		for r := lo * group; r < min(m, hi*group); r += group {
			rows := min(group, m-r)
			if a.Transposed {
				vector.TransposeRows(buf.Data, a.Data[r:], k, rows, k, a.Stride)
			}
			for i := r; i < r+rows; i++ {
				if a.Transposed {
					f(i, buf.Data[(i-r)*k:][:k])
				} else {
					f(i, a.Data[i*a.Stride:][:k])
				}
			}
		}
	})
}
