package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Pack is [PackB] in a format. A matrix whose columns have outliers, so that Int8 would lose more than
// 1.5 percent of it, stays in float32: the result's Format says so.
func Pack(p *work.Pool, f tile.Format, k, n int, b tile.Matrix) *PackedB {
	switch f {
	case tile.BFloat16:
		return packBF16(p, k, n, b)
	case tile.Int8:
		if r := packInt8(p, k, n, b); r != nil {
			return r
		}
	}
	return PackB(p, k, n, b)
}

// Format says how the numbers are stored.
func (b *PackedB) Format() tile.Format { return b.format }

// gemmNarrow is GemmPacked where b is not float32.
func gemmNarrow(p *work.Pool, m int, a tile.Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	if b.format == tile.Int8 {
		gemmInt8(p, m, a, b, c, ldc, e)
		return
	}
	gemmBF16(p, m, a, b, c, ldc, e)
}
