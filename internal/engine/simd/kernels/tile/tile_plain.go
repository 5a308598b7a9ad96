package tile

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// plainTiles makes the microkernels plain Go.
var plainTiles bool

// Plain makes the microkernels plain Go, and l the level in use, and returns a function that ends this: so tests can
// drive the blocking of a level that their machine lacks.
func Plain(l level.Level) (restore func()) {
	undo := level.Pretend(l)
	plainTiles = true
	return func() {
		plainTiles = false
		undo()
	}
}

// plainTile is the definition of a microkernel: t.blocks blocks of rows × width elements.
func plainTile(rows, width int, t *Call) {
	at := func(p unsafe.Pointer, bytes int) float32 { return *(*float32)(unsafe.Add(p, bytes)) }
	for block := range t.blocks {
		for i := range rows {
			for j := range width {
				var sum float32
				for o := range t.Outer {
					for q := range t.Inner {
						sum += at(t.A, block*t.blockA+i*t.RowA+o*t.outerA+q*t.ColA) * at(t.B, o*t.outerB+q*t.RowB+4*j)
					}
				}
				c := (*float32)(unsafe.Add(t.C, block*t.blockC+i*t.RowC+4*j))
				sum *= t.Alpha
				if t.Flags&Accumulate != 0 {
					sum += *c
				}
				if t.Bias != nil {
					sum += at(t.Bias, 4*j)
				}
				if t.Flags&ReLU != 0 {
					sum = max(sum, 0)
				}
				*c = sum
			}
		}
	}
}
