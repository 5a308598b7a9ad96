package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// RunRounded is [Product.Run] with both operands rounded to bfloat16 as it goes, and sums in
// float32: for products whose operands change from call to call, as in training; Batch and Packed
// are not for it. Rounding costs a pass over each operand, so it pays where M, N and K are large.
// Denormal numbers count as zero.
func (x Product) RunRounded(p *work.Pool) {
	n, k, b := x.N, x.K, x.B
	if x.M == 0 || n == 0 || k == 0 {
		x.Run(p)
		return
	}
	x.Batch = 1
	x.check("Product.RunRounded")
	if level.Current() < tile.BFloat16.Level() { // for tests, not for speed
		x.Packed = packBF16(p, k, n, b)
		x.runBF16(p)
		return
	}
	pairs, panels := (k+1)/2, (n+tile.NarrowWide-1)/tile.NarrowWide
	buf := work.Scratch(panels * pairs * tile.NarrowWide)
	defer buf.Release()
	x.Packed = &PackedB{format: tile.BFloat16, k: k, n: n, panel: tile.NarrowWide, data: buf.Data}
	p.For(panels, max(1, 16384/(k*tile.NarrowWide)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			tile.RoundPanel(tile.Words(buf.Data)[i*pairs*tile.NarrowWide:][:pairs*tile.NarrowWide], b, k, n, i*tile.NarrowWide)
		}
	})
	x.runBF16(p)
}
