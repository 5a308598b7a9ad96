package tile

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// tileCall calls the microkernel for a number of rows and columns.
func tileCall(_ level.Level, rows, width int, t *Call) {
	if plainTiles {
		plainTile(rows, width, t)
		return
	}
	w := (*[18]uint64)(unsafe.Pointer(t))
	switch {
	case rows == 6 && width == 16:
		neonTile6x16(w)
	case rows == 5 && width == 16:
		neonTile5x16(w)
	case rows == 4 && width == 16:
		neonTile4x16(w)
	case rows == 3 && width == 16:
		neonTile3x16(w)
	case rows == 2 && width == 16:
		neonTile2x16(w)
	case rows == 1 && width == 16:
		neonTile1x16(w)
	case rows == 6 && width == 8:
		neonTile6x8(w)
	case rows == 5 && width == 8:
		neonTile5x8(w)
	case rows == 4 && width == 8:
		neonTile4x8(w)
	case rows == 3 && width == 8:
		neonTile3x8(w)
	case rows == 2 && width == 8:
		neonTile2x8(w)
	case rows == 1 && width == 8:
		neonTile1x8(w)
	default:
		panic("kernels: no such microkernel")
	}
}
