package tile

import (
	"math"
	"testing"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// The instructions make the numbers of the definition, bit for bit: every flag, scales that are zero or not finite, rows
// that lie apart.
func TestFold(t *testing.T) {
	r := kerneltest.Generator(103)
	for i := range 200 {
		rows, rowA, rowC := 1+r.IntN(40), 2+r.IntN(5), NarrowWide+r.IntN(7)
		sums := make([]int32, rows*NarrowWide)
		for j := range sums {
			sums[j] = int32(r.Uint32()) >> (4 + r.IntN(20))
		}
		a, b := kerneltest.Draw(r, rows*rowA), kerneltest.Draw(r, 2*NarrowWide)
		for j := range rows {
			a[j*rowA+1] = math.Float32frombits(uint32(r.IntN(256)))
		}
		for j := range NarrowWide {
			b[NarrowWide+j] = math.Float32frombits(uint32(int32(r.IntN(100000) - 50000)))
		}
		switch i % 4 {
		case 1:
			a[0], b[3] = 0, 0
		case 2:
			a[0], b[5] = float32(math.NaN()), float32(math.Inf(1))
		}
		bias := kerneltest.Draw(r, NarrowWide)
		f := Fold{Sums: unsafe.Pointer(&sums[0]), A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), Rows: rows, RowA: 4 * rowA, RowC: 4 * rowC,
			Flags: r.IntN(4), Alpha: []float32{1, 0.37}[r.IntN(2)]}
		if r.IntN(2) == 0 {
			f.Bias = unsafe.Pointer(&bias[0])
		}
		want := kerneltest.Draw(r, rows*rowC)
		got := append([]float32(nil), want...)
		f.C = unsafe.Pointer(&want[0])
		f.plain()
		f.C = unsafe.Pointer(&got[0])
		f.Run()
		for j := range want {
			if w, g := want[j], got[j]; math.Float32bits(w) != math.Float32bits(g) && !(w != w && g != g) {
				t.Fatalf("%d rows, flags %d, level %v: element %d is %v, not %v", rows, f.Flags, level.Current(), j, g, w)
			}
		}
	}
}

// The generator knows these offsets.
func TestFoldOffsets(t *testing.T) {
	var f Fold
	for i, at := range []uintptr{unsafe.Offsetof(f.Sums), unsafe.Offsetof(f.A), unsafe.Offsetof(f.B), unsafe.Offsetof(f.C), unsafe.Offsetof(f.Bias),
		unsafe.Offsetof(f.Rows), unsafe.Offsetof(f.RowA), unsafe.Offsetof(f.RowC), unsafe.Offsetof(f.Flags), unsafe.Offsetof(f.Alpha)} {
		if unsafe.Sizeof(uintptr(0)) == 8 && at != uintptr(8*i) {
			t.Errorf("field %d lies at %d, not at %d", i, at, 8*i)
		}
	}
}
