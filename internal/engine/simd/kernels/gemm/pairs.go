package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Products of bytes without VNNI. The weights lie as they do for VNNI and the sums are the same whole numbers, so the
// results have the same bits. A row of A lies widened to 16 bits, two words where VNNI has one: of each four terms
// those at 0 and 2, then those at 1 and 3; the scale and the zero point have a word beside them that nobody reads.

// vectorPairs is runInt8 on AVX2 or AVX-512.
func (x Product) vectorPairs(p *work.Pool, l level.Level) {
	tiles := tile.Pairs256Tiles
	if l >= level.AVX512 {
		tiles = tile.Pairs512Tiles
	}
	total := tile.Int8Words(x.K)
	stride := (2*total+15)&^15 + 16 // not a power of two
	buf := work.Scratch(x.M * stride)
	defer buf.Release()
	out := tile.Words(buf.Data)
	eachRow(p, x.M, x.K, x.A, func(i int, row []float32) {
		to := out[i*stride:][:2*total]
		tile.Int8Blocks(len(row), func(from, end, word int) { tile.RoundPairBlock(to[2*word:], row[from:end]) })
	})
	x.A, x.K = tile.Matrix{Data: buf.Data, Stride: stride}, total
	x.runVector(p, tiles)
}
