package tile

import (
	"testing"
	"unsafe"
)

// TestTileLayout compares the offsets that the generated assembly uses (_generate/product.go).
func TestTileLayout(t *testing.T) {
	var x Call
	for i, o := range []uintptr{
		unsafe.Offsetof(x.A), unsafe.Offsetof(x.B), unsafe.Offsetof(x.C), unsafe.Offsetof(x.Bias), unsafe.Offsetof(x.blocks),
		unsafe.Offsetof(x.Inner), unsafe.Offsetof(x.Outer), unsafe.Offsetof(x.RowA), unsafe.Offsetof(x.ColA), unsafe.Offsetof(x.outerA),
		unsafe.Offsetof(x.blockA), unsafe.Offsetof(x.RowB), unsafe.Offsetof(x.outerB), unsafe.Offsetof(x.RowC), unsafe.Offsetof(x.blockC),
		unsafe.Offsetof(x.Flags), unsafe.Offsetof(x.Alpha), unsafe.Offsetof(x.cursor),
	} {
		if unsafe.Sizeof(uintptr(0)) == 8 && o != uintptr(8*i) {
			t.Errorf("field %d lies at %d, not %d", i, o, 8*i)
		}
	}
}
