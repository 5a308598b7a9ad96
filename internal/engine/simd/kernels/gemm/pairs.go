package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Products of bytes without VNNI. The weights lie as they do for VNNI and the sums are the same whole numbers, so the
// results have the same bits. A row of A lies widened to 16 bits, two words where VNNI has one: of each four terms
// those at 0 and 2, then those at 1 and 3; the scale and the zero point have a word beside them that nobody reads.

// vectorPairs is gemmInt8 on AVX2 or AVX-512.
func vectorPairs(p *work.Pool, l level.Level, m int, a tile.Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	tiles := tile.Pairs256Tiles
	if l >= level.AVX512 {
		tiles = tile.Pairs512Tiles
	}
	total := tile.Int8Words(b.k)
	stride := (2*total+15)&^15 + 16 // not a power of two
	buf := work.Scratch(m * stride)
	defer buf.Release()
	out := tile.Words(buf.Data)
	eachRow(p, m, b.k, a, func(i int, row []float32) {
		to := out[i*stride:][:2*total]
		tile.Int8Blocks(len(row), func(from, end, word int) { tile.RoundPairBlock(to[2*word:], row[from:end]) })
	})
	vectorGemm(p, tiles, 1, m, b.n, total, tile.Matrix{Data: buf.Data, Stride: stride}, 0, tile.Matrix{}, 0, b, c, ldc, 0, e)
}
