package gemm

import (
	"math"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// int8Limit is the largest error of the weights, root of the mean square over that of the weights, that
// is kept: a matrix with outliers that do worse stays in float32. Normal weights have 0.8 %.
const int8Limit = 0.015

// packInt8 is PackB to bytes with a scale for each column and block; nil if that loses too much.
func packInt8(p *work.Pool, k, n int, b tile.Matrix) *PackedB {
	work.CheckLen("Pack", "b", len(b.Data), b.Length(k, n))
	total, panels := tile.Int8Words(k), (n+tile.NarrowWide-1)/tile.NarrowWide
	r := &PackedB{format: tile.Int8, k: k, n: n, panel: tile.NarrowWide, data: make([]float32, panels*total*tile.NarrowWide)}
	if k == 0 {
		return r
	}
	out := tile.Words(r.data)
	lost, all := make([]float64, panels), make([]float64, panels)
	p.For(panels, max(1, 16384/(k*tile.NarrowWide)), func(lo, hi int) {
		column := make([]float32, k)
		for i := lo; i < hi; i++ {
			for j := i * tile.NarrowWide; j < min(n, (i+1)*tile.NarrowWide); j++ {
				for q := range column {
					column[q] = b.At(q, j)
				}
				l, a := tile.PackColumn(out[i*total*tile.NarrowWide+j%tile.NarrowWide:], column)
				lost[i], all[i] = lost[i]+l, all[i]+a
			}
		}
	})
	var l, a float64
	for i := range panels {
		l, a = l+lost[i], a+all[i]
	}
	if l > int8Limit*int8Limit*a {
		return nil
	}
	return r
}

// unpackInt8 gives the rounded matrix back.
func (b *PackedB) unpackInt8() tile.Matrix {
	x, in, total := make([]float32, b.k*b.n), tile.Words(b.data), tile.Int8Words(b.k)
	for j := range b.n {
		panel := in[j/tile.NarrowWide*total*tile.NarrowWide+j%tile.NarrowWide:]
		tile.Int8Blocks(b.k, func(from, to, word int) {
			scale := math.Float32frombits(panel[(word+(to-from+3)/4)*tile.NarrowWide])
			for q := range to - from {
				x[(from+q)*b.n+j] = scale * float32(int8(panel[(word+q/4)*tile.NarrowWide]>>(q%4*8)))
			}
		})
	}
	return tile.Matrix{Data: x, Stride: b.n}
}

// runInt8 is Run with operands in bytes: each row of A is rounded with a scale and a zero point of its
// own for each block. A row with NaN or infinity gives NaN.
func (x Product) runInt8(p *work.Pool) {
	switch l := level.Current(); {
	case l >= level.AVX512VNNI || amx.UseBytes() != nil:
		x.vectorInt8(p)
		return
	case l >= level.Int8Level:
		x.vectorPairs(p, l)
		return
	}
	k := x.K
	buf, row := work.Scratch(x.M*k), work.Scratch(tile.Int8Words(k))
	defer buf.Release()
	defer row.Release()
	bytes := tile.Words(row.Data)
	eachRow(nil, x.M, k, x.A, func(i int, row []float32) {
		tile.RoundBytes(bytes, row, false)
		tile.WidenBytes(buf.Data[i*k:][:k], bytes)
	})
	x.A, x.B, x.Packed = tile.Matrix{Data: buf.Data, Stride: k}, x.Packed.unpackInt8(), nil
	x.Run(p)
}

func (x Product) vectorInt8(p *work.Pool) {
	total := tile.Int8Words(x.K)
	stride := (total+15)&^15 + 16 // not a power of two
	buf := work.Scratch(x.M * stride)
	defer buf.Release()
	out, vectors := tile.Words(buf.Data), level.Best() >= level.AVX512VNNI // in a check of the level, too
	eachRow(p, x.M, x.K, x.A, func(i int, row []float32) { tile.RoundBytes(out[i*stride:][:total], row, vectors) })
	x.A, x.K = tile.Matrix{Data: buf.Data, Stride: stride}, total
	x.runVector(p, tile.Int8Tiles)
}
