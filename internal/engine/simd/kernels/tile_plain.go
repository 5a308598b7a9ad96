package kernels

import "unsafe"

// plainTiles makes the microkernels plain Go, so that tests can drive the blocking of a level that
// their machine lacks.
var plainTiles bool

// plainTile is the definition of a microkernel: t.blocks blocks of rows × width elements.
func plainTile(rows, width int, t *tile) {
	at := func(p unsafe.Pointer, bytes int) float32 { return *(*float32)(unsafe.Add(p, bytes)) }
	for block := range t.blocks {
		for i := range rows {
			for j := range width {
				var sum float32
				for o := range t.outer {
					for q := range t.inner {
						sum += at(t.a, block*t.blockA+i*t.rowA+o*t.outerA+q*t.colA) * at(t.b, o*t.outerB+q*t.rowB+4*j)
					}
				}
				c := (*float32)(unsafe.Add(t.c, block*t.blockC+i*t.rowC+4*j))
				sum *= t.alpha
				if t.flags&tileAccumulate != 0 {
					sum += *c
				}
				if t.bias != nil {
					sum += at(t.bias, 4*j)
				}
				if t.flags&tileReLU != 0 {
					sum = max(sum, 0)
				}
				*c = sum
			}
		}
	}
}
