package kernels

import "math"

// Products of bytes without VNNI. The weights lie as they do for VNNI and the sums are the same whole numbers, so the
// results have the same bits. A row of A lies widened to 16 bits, two words where VNNI has one: of each four terms
// those at 0 and 2, then those at 1 and 3; the scale and the zero point have a word beside them that nobody reads.

// vectorPairs is gemmInt8 on AVX2 or AVX-512.
func vectorPairs(p *Pool, l Level, m int, a Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	tiles := pairs256Tiles
	if l >= AVX512 {
		tiles = pairs512Tiles
	}
	total := int8Words(b.k)
	stride := (2*total+15)&^15 + 16 // not a power of two
	buf := scratch(m * stride)
	defer buf.release()
	out := words(buf.data)
	eachRow(p, m, b.k, a, func(i int, row []float32) {
		to := out[i*stride:][:2*total]
		int8Blocks(len(row), func(from, end, word int) { roundPairBlock(to[2*word:], row[from:end]) })
	})
	vectorGemm(p, tiles, 1, m, b.n, total, Matrix{Data: buf.data, Stride: stride}, 0, Matrix{}, 0, b, c, ldc, 0, e)
}

// roundPairBlock is roundBlock to numbers of 16 bits.
func roundPairBlock(dst []uint32, x []float32) {
	groups, whole := (len(x)+3)/4, len(x)/16
	var r [3]float32
	if whole > 0 {
		pairsRange(&r, &x[0], whole)
	}
	s := stepsOf(r, x[whole*16:])
	if s.inverse == 0 {
		clear(dst[:2*groups])
	} else {
		if whole > 0 {
			_ = dst[whole*8-1]
			pairsRound(&dst[0], &x[0], whole, s.inverse, s.zero)
		}
		var rest [4]uint32
		s.round(rest[:groups-whole*4], x[whole*16:])
		for g, w := range rest[:groups-whole*4] {
			dst[2*(whole*4+g)], dst[2*(whole*4+g)+1] = w&0x00ff00ff, w>>8&0x00ff00ff
		}
	}
	dst[2*groups], dst[2*groups+2] = math.Float32bits(s.scale), uint32(int32(s.zero))
}
