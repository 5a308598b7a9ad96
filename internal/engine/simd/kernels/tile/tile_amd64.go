package tile

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// tileCall calls the microkernel for a number of rows and columns.
func tileCall(l level.Level, rows, width int, t *Call) {
	if plainTiles {
		plainTile(rows, width, t)
		return
	}
	w := (*[18]uint64)(unsafe.Pointer(t))
	switch {
	case l == BF16Tiles:
		bf16TileCall(rows, width, w)
	case l == Int8Tiles:
		int8TileCall(rows, width, w)
	case l == Pairs256Tiles || l == Pairs512Tiles:
		pairsTileCall(l, rows, width, w)
	case l == level.AVX2 && width == 16:
		switch rows {
		case 6:
			avx2Tile6x16(w)
		case 5:
			avx2Tile5x16(w)
		case 4:
			avx2Tile4x16(w)
		case 3:
			avx2Tile3x16(w)
		case 2:
			avx2Tile2x16(w)
		case 1:
			avx2Tile1x16(w)
		}
	case l == level.AVX2 && width == 8:
		switch rows {
		case 6:
			avx2Tile6x8(w)
		case 5:
			avx2Tile5x8(w)
		case 4:
			avx2Tile4x8(w)
		case 3:
			avx2Tile3x8(w)
		case 2:
			avx2Tile2x8(w)
		case 1:
			avx2Tile1x8(w)
		}
	case l == level.AVX512 && width == 32:
		switch rows {
		case 12:
			avx512Tile12x32(w)
		case 11:
			avx512Tile11x32(w)
		case 10:
			avx512Tile10x32(w)
		case 9:
			avx512Tile9x32(w)
		case 8:
			avx512Tile8x32(w)
		case 7:
			avx512Tile7x32(w)
		case 6:
			avx512Tile6x32(w)
		case 5:
			avx512Tile5x32(w)
		case 4:
			avx512Tile4x32(w)
		case 3:
			avx512Tile3x32(w)
		case 2:
			avx512Tile2x32(w)
		case 1:
			avx512Tile1x32(w)
		}
	case l == level.AVX512 && width == 16:
		switch rows {
		case 12:
			avx512Tile12x16(w)
		case 11:
			avx512Tile11x16(w)
		case 10:
			avx512Tile10x16(w)
		case 9:
			avx512Tile9x16(w)
		case 8:
			avx512Tile8x16(w)
		case 7:
			avx512Tile7x16(w)
		case 6:
			avx512Tile6x16(w)
		case 5:
			avx512Tile5x16(w)
		case 4:
			avx512Tile4x16(w)
		case 3:
			avx512Tile3x16(w)
		case 2:
			avx512Tile2x16(w)
		case 1:
			avx512Tile1x16(w)
		}
	default:
		panic("kernels: no such microkernel")
	}
}
