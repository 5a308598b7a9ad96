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

// runNarrow is Run where Packed is not in float32.
func (x Product) runNarrow(p *work.Pool) {
	if x.Packed.format == tile.Int8 {
		x.runInt8(p)
		return
	}
	x.runBF16(p)
}
