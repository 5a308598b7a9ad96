package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// GemmBF16 is [Gemm] with both operands rounded to bfloat16 as it goes, and sums in
// float32: for products whose operands change from call to call, as in training.
// Rounding costs a pass over each operand, so it pays where m, n and k are large.
// Denormal numbers count as zero.
func GemmBF16(p *work.Pool, m, n, k int, a, b tile.Matrix, c []float32, ldc int, e Epilogue) {
	if m == 0 || n == 0 || k == 0 {
		Gemm(p, m, n, k, a, b, c, ldc, e)
		return
	}
	checkGemm("GemmBF16", 1, m, n, a.Length(m, k), len(a.Data), 0, c, ldc, 0, e)
	work.CheckLen("GemmBF16", "b", len(b.Data), b.Length(k, n))
	if level.Current() < tile.BFloat16.Level() { // for tests, not for speed
		GemmPacked(p, m, a, packBF16(p, k, n, b), c, ldc, e)
		return
	}
	pairs, panels := (k+1)/2, (n+tile.NarrowWide-1)/tile.NarrowWide
	buf := work.Scratch(panels * pairs * tile.NarrowWide)
	defer buf.Release()
	packed := &PackedB{format: tile.BFloat16, k: k, n: n, panel: tile.NarrowWide, data: buf.Data}
	p.For(panels, max(1, 16384/(k*tile.NarrowWide)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			tile.RoundPanel(tile.Words(buf.Data)[i*pairs*tile.NarrowWide:][:pairs*tile.NarrowWide], b, k, n, i*tile.NarrowWide)
		}
	})
	gemmBF16(p, m, a, packed, c, ldc, e)
}
