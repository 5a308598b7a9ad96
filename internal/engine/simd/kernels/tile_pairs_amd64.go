package kernels

// pairsTileCall calls the microkernel of products of widened bytes for a number of rows and columns.
func pairsTileCall(l Level, rows, width int, w *[18]uint64) {
	switch {
	case l == pairs256Tiles && rows == 5 && width == 16:
		pairs256Tile5x16(w)
	case l == pairs256Tiles && rows == 4 && width == 16:
		pairs256Tile4x16(w)
	case l == pairs256Tiles && rows == 3 && width == 16:
		pairs256Tile3x16(w)
	case l == pairs256Tiles && rows == 2 && width == 16:
		pairs256Tile2x16(w)
	case l == pairs256Tiles && rows == 1 && width == 16:
		pairs256Tile1x16(w)
	case l == pairs256Tiles && rows == 5 && width == 8:
		pairs256Tile5x8(w)
	case l == pairs256Tiles && rows == 4 && width == 8:
		pairs256Tile4x8(w)
	case l == pairs256Tiles && rows == 3 && width == 8:
		pairs256Tile3x8(w)
	case l == pairs256Tiles && rows == 2 && width == 8:
		pairs256Tile2x8(w)
	case l == pairs256Tiles && rows == 1 && width == 8:
		pairs256Tile1x8(w)
	case l == pairs512Tiles && rows == 6 && width == 32:
		pairs512Tile6x32(w)
	case l == pairs512Tiles && rows == 5 && width == 32:
		pairs512Tile5x32(w)
	case l == pairs512Tiles && rows == 4 && width == 32:
		pairs512Tile4x32(w)
	case l == pairs512Tiles && rows == 3 && width == 32:
		pairs512Tile3x32(w)
	case l == pairs512Tiles && rows == 2 && width == 32:
		pairs512Tile2x32(w)
	case l == pairs512Tiles && rows == 1 && width == 32:
		pairs512Tile1x32(w)
	case l == pairs512Tiles && rows == 6 && width == 16:
		pairs512Tile6x16(w)
	case l == pairs512Tiles && rows == 5 && width == 16:
		pairs512Tile5x16(w)
	case l == pairs512Tiles && rows == 4 && width == 16:
		pairs512Tile4x16(w)
	case l == pairs512Tiles && rows == 3 && width == 16:
		pairs512Tile3x16(w)
	case l == pairs512Tiles && rows == 2 && width == 16:
		pairs512Tile2x16(w)
	case l == pairs512Tiles && rows == 1 && width == 16:
		pairs512Tile1x16(w)
	default:
		panic("kernels: no such microkernel")
	}
}
