package tile

import "github.com/groupvit/groupvit/internal/engine/simd/kernels/level"

// bf16TileCall calls the microkernel of bfloat16 products for a number of rows and columns.
func bf16TileCall(rows, width int, w *[18]uint64) {
	switch {
	case rows == 12 && width == 32:
		bf16Tile12x32(w)
	case rows == 11 && width == 32:
		bf16Tile11x32(w)
	case rows == 10 && width == 32:
		bf16Tile10x32(w)
	case rows == 9 && width == 32:
		bf16Tile9x32(w)
	case rows == 8 && width == 32:
		bf16Tile8x32(w)
	case rows == 7 && width == 32:
		bf16Tile7x32(w)
	case rows == 6 && width == 32:
		bf16Tile6x32(w)
	case rows == 5 && width == 32:
		bf16Tile5x32(w)
	case rows == 4 && width == 32:
		bf16Tile4x32(w)
	case rows == 3 && width == 32:
		bf16Tile3x32(w)
	case rows == 2 && width == 32:
		bf16Tile2x32(w)
	case rows == 1 && width == 32:
		bf16Tile1x32(w)
	case rows == 12 && width == 16:
		bf16Tile12x16(w)
	case rows == 11 && width == 16:
		bf16Tile11x16(w)
	case rows == 10 && width == 16:
		bf16Tile10x16(w)
	case rows == 9 && width == 16:
		bf16Tile9x16(w)
	case rows == 8 && width == 16:
		bf16Tile8x16(w)
	case rows == 7 && width == 16:
		bf16Tile7x16(w)
	case rows == 6 && width == 16:
		bf16Tile6x16(w)
	case rows == 5 && width == 16:
		bf16Tile5x16(w)
	case rows == 4 && width == 16:
		bf16Tile4x16(w)
	case rows == 3 && width == 16:
		bf16Tile3x16(w)
	case rows == 2 && width == 16:
		bf16Tile2x16(w)
	case rows == 1 && width == 16:
		bf16Tile1x16(w)
	default:
		panic("kernels: no such microkernel")
	}
}

// int8TileCall calls the microkernel of products of bytes for a number of rows and columns.
func int8TileCall(rows, width int, w *[18]uint64) {
	switch {
	case rows == 12 && width == 32:
		int8Tile12x32(w)
	case rows == 11 && width == 32:
		int8Tile11x32(w)
	case rows == 10 && width == 32:
		int8Tile10x32(w)
	case rows == 9 && width == 32:
		int8Tile9x32(w)
	case rows == 8 && width == 32:
		int8Tile8x32(w)
	case rows == 7 && width == 32:
		int8Tile7x32(w)
	case rows == 6 && width == 32:
		int8Tile6x32(w)
	case rows == 5 && width == 32:
		int8Tile5x32(w)
	case rows == 4 && width == 32:
		int8Tile4x32(w)
	case rows == 3 && width == 32:
		int8Tile3x32(w)
	case rows == 2 && width == 32:
		int8Tile2x32(w)
	case rows == 1 && width == 32:
		int8Tile1x32(w)
	case rows == 12 && width == 16:
		int8Tile12x16(w)
	case rows == 11 && width == 16:
		int8Tile11x16(w)
	case rows == 10 && width == 16:
		int8Tile10x16(w)
	case rows == 9 && width == 16:
		int8Tile9x16(w)
	case rows == 8 && width == 16:
		int8Tile8x16(w)
	case rows == 7 && width == 16:
		int8Tile7x16(w)
	case rows == 6 && width == 16:
		int8Tile6x16(w)
	case rows == 5 && width == 16:
		int8Tile5x16(w)
	case rows == 4 && width == 16:
		int8Tile4x16(w)
	case rows == 3 && width == 16:
		int8Tile3x16(w)
	case rows == 2 && width == 16:
		int8Tile2x16(w)
	case rows == 1 && width == 16:
		int8Tile1x16(w)
	default:
		panic("kernels: no such microkernel")
	}
}

// pairsTileCall calls the microkernel of products of widened bytes for a number of rows and columns.
func pairsTileCall(l level.Level, rows, width int, w *[18]uint64) {
	switch {
	case l == Pairs256Tiles && rows == 5 && width == 16:
		pairs256Tile5x16(w)
	case l == Pairs256Tiles && rows == 4 && width == 16:
		pairs256Tile4x16(w)
	case l == Pairs256Tiles && rows == 3 && width == 16:
		pairs256Tile3x16(w)
	case l == Pairs256Tiles && rows == 2 && width == 16:
		pairs256Tile2x16(w)
	case l == Pairs256Tiles && rows == 1 && width == 16:
		pairs256Tile1x16(w)
	case l == Pairs256Tiles && rows == 5 && width == 8:
		pairs256Tile5x8(w)
	case l == Pairs256Tiles && rows == 4 && width == 8:
		pairs256Tile4x8(w)
	case l == Pairs256Tiles && rows == 3 && width == 8:
		pairs256Tile3x8(w)
	case l == Pairs256Tiles && rows == 2 && width == 8:
		pairs256Tile2x8(w)
	case l == Pairs256Tiles && rows == 1 && width == 8:
		pairs256Tile1x8(w)
	case l == Pairs512Tiles && rows == 6 && width == 32:
		pairs512Tile6x32(w)
	case l == Pairs512Tiles && rows == 5 && width == 32:
		pairs512Tile5x32(w)
	case l == Pairs512Tiles && rows == 4 && width == 32:
		pairs512Tile4x32(w)
	case l == Pairs512Tiles && rows == 3 && width == 32:
		pairs512Tile3x32(w)
	case l == Pairs512Tiles && rows == 2 && width == 32:
		pairs512Tile2x32(w)
	case l == Pairs512Tiles && rows == 1 && width == 32:
		pairs512Tile1x32(w)
	case l == Pairs512Tiles && rows == 6 && width == 16:
		pairs512Tile6x16(w)
	case l == Pairs512Tiles && rows == 5 && width == 16:
		pairs512Tile5x16(w)
	case l == Pairs512Tiles && rows == 4 && width == 16:
		pairs512Tile4x16(w)
	case l == Pairs512Tiles && rows == 3 && width == 16:
		pairs512Tile3x16(w)
	case l == Pairs512Tiles && rows == 2 && width == 16:
		pairs512Tile2x16(w)
	case l == Pairs512Tiles && rows == 1 && width == 16:
		pairs512Tile1x16(w)
	default:
		panic("kernels: no such microkernel")
	}
}
