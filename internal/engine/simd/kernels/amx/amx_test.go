package amx

import (
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// The model of the tiles agrees with sums in float64, and with itself.
func TestAMXModel(t *testing.T) {
	if !soundPairs(Model) || !soundBytes(Model) {
		t.Error("the model differs from itself")
	}
	for name, wrong := range map[string]Runner{
		"nothing is computed": func(Kind, *Call) {},
		"C is not added to":   func(k Kind, t *Call) { u := *t; u.Flags = 0; Model(k, &u) },
		"always two blocks":   func(k Kind, t *Call) { u := *t; u.Blocks = 1; Model(k, &u) },
		"another panel":       func(k Kind, t *Call) { u := *t; u.PanelB = 0; Model(k, &u) },
		"a step is left out":  func(k Kind, t *Call) { u := *t; u.Steps = max(1, u.Steps-1); Model(k, &u) },
	} {
		if soundPairs(wrong) || name != "another panel" && soundBytes(wrong) { // bytes take one panel
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

// Whatever a machine gets wrong is not used, and only that: what is right of bfloat16 stays where bytes are wrong.
func TestAMXExamined(t *testing.T) {
	wrong := func(bytes, pairs bool) Runner {
		return func(k Kind, c *Call) {
			if k.bytes() && bytes || !k.bytes() && pairs {
				return
			}
			Model(k, c)
		}
	}
	for _, c := range []struct {
		run  Runner
		bf16 bool
		why  string
	}{{Model, true, ""}, {wrong(true, false), true, ""}, {wrong(false, true), false, "wrong results for bf16"}, {wrong(true, true), false, "wrong results for bf16"}} {
		f := examine(c.run, "")
		if (f.pairs != nil) != c.bf16 || !strings.Contains(f.why, c.why) {
			t.Errorf("bf16 is used: %v, because %q", f.pairs != nil, f.why)
		}
		if f.bytes != nil && !level.TilesOfBytes() || f.bytes == nil && f.why == "" {
			t.Errorf("int8 is used: %v, because %q", f.bytes != nil, f.why)
		}
	}
	if f := examine(nil, "no permission"); f.pairs != nil || f.bytes != nil || f.why != "no permission" {
		t.Errorf("without a permission it is %+v", f.why)
	}
}

// The check of bytes sees what takes one for the other: signs, and the order of operands.
func TestAMXModelOfBytes(t *testing.T) {
	a, b := []uint32{0xff020180}, make([]uint32, Wide) // 128, 1, 2, 255
	b[0], b[1] = 0x80ff01ff, 0x7f7f7f7f                // -1, 1, -1, -128
	c := make([]int32, Wide)
	x := Call{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), C: unsafe.Pointer(&c[0]), Blocks: 1, Steps: 1, RowA: 4, RowC: 4 * Wide}
	x.Configure(Bytes1x2, 1, 1)
	Model(Bytes1x2, &x)
	if c[0] != -128+1-2-255*128 || c[1] != 127*(128+1+2+255) {
		t.Errorf("the sums are %v", c[:2])
	}
}
