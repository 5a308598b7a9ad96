package tile

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// Fold makes float32 numbers of whole ones that a product of bytes left in memory: for rows of 32 columns
//
//	C = relu?(Alpha·(sum − zero·(sum of the column))·(scale of the column)·(scale of the row) + C? + Bias?)
//
// in the order, and so with the bits, of the microkernels of bytes. Distances are in bytes.
type Fold struct {
	Sums       unsafe.Pointer // whole numbers, rows of 128 bytes
	A          unsafe.Pointer // scale of the first row, its zero point behind it
	B          unsafe.Pointer // scales of the columns, their sums behind them
	C, Bias    unsafe.Pointer // Bias may be nil
	Rows       int
	RowA, RowC int
	Flags      int // Accumulate, ReLU
	Alpha      float32
}

// Run computes C.
func (f *Fold) Run() {
	if level.Current() >= level.AVX512 && !plainTiles {
		int8Fold((*[10]uint64)(unsafe.Pointer(f)))
		return
	}
	f.plain()
}

// plain is the definition.
func (f *Fold) plain() {
	number := func(p unsafe.Pointer, at int) float32 { return *(*float32)(unsafe.Add(p, at)) }
	whole := func(p unsafe.Pointer, at int) int32 { return *(*int32)(unsafe.Add(p, at)) }
	for i := range f.Rows {
		scale, zero := number(f.A, i*f.RowA), whole(f.A, i*f.RowA+4)
		for j := range NarrowWide {
			c := (*float32)(unsafe.Add(f.C, i*f.RowC+4*j))
			x := float32(whole(f.Sums, 128*i+4*j) - zero*whole(f.B, 128+4*j))
			x = float32(float32(float32(x*number(f.B, 4*j))*scale) * f.Alpha)
			if f.Flags&Accumulate != 0 {
				x += *c
			}
			if f.Bias != nil {
				x += number(f.Bias, 4*j)
			}
			if f.Flags&ReLU != 0 && x < 0 { // NaN and -0 stay
				x = 0
			}
			*c = x
		}
	}
}
