package amx

import (
	"math"
	"testing"
	"unsafe"
)

// The model of the tiles agrees with sums in float64, and with itself.
func TestAMXModel(t *testing.T) {
	if !sound(Model) {
		t.Error("the model differs from itself")
	}
	for name, wrong := range map[string]Runner{
		"nothing is computed": func(Kind, *Call) {},
		"C is not added to":   func(k Kind, t *Call) { u := *t; u.Flags = 0; Model(k, &u) },
		"always two blocks":   func(k Kind, t *Call) { u := *t; u.Blocks = 1; Model(k, &u) },
		"another panel":       func(k Kind, t *Call) { u := *t; u.PanelB = 0; Model(k, &u) },
		"a step is left out":  func(k Kind, t *Call) { u := *t; u.Steps = max(1, u.Steps-1); Model(k, &u) },
	} {
		if sound(wrong) {
			t.Errorf("%s, and the check does not see it", name)
		}
	}
}

// The generator knows these offsets.
func TestAMXTileOffsets(t *testing.T) {
	var x Call
	for i, at := range []uintptr{unsafe.Offsetof(x.A), unsafe.Offsetof(x.B), unsafe.Offsetof(x.C), unsafe.Offsetof(x.Blocks), unsafe.Offsetof(x.Steps),
		unsafe.Offsetof(x.RowA), unsafe.Offsetof(x.Row16A), unsafe.Offsetof(x.BlockA), unsafe.Offsetof(x.RowC), unsafe.Offsetof(x.Row16C),
		unsafe.Offsetof(x.BlockC), unsafe.Offsetof(x.PanelB), unsafe.Offsetof(x.Flags)} {
		if want := uintptr(64 + 8*i); unsafe.Sizeof(uintptr(0)) == 8 && at != want {
			t.Errorf("field %d lies at %d, not at %d", i, at, want)
		}
	}
}

// Denormal numbers count as zero, as operands and as results.
func TestAMXModelDenormals(t *testing.T) {
	tiny := math.Float32frombits(1)
	for x, want := range map[float32]float32{tiny: 0, 1e-39: 0, 1: 1, math.Float32frombits(0x00800000): math.Float32frombits(0x00800000)} {
		if got := flushed(x); got != want {
			t.Errorf("%g counts as %g, not %g", x, got, want)
		}
	}
}
