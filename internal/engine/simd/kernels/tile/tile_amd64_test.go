package tile

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// The text of the generated microkernels runs in an interpreter, so that the AVX-512 ones are checked on machines
// without AVX-512. What it cannot check is Go's encoding of the instructions.

// tileCase is a tile over its own memory, with small whole numbers: every order of sums is exact.
type tileCase struct {
	Call
	c []float32
}

func newTileCase(r *rand.Rand, rows, width int) *tileCase {
	whole := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.IntN(9) - 4)
		}
		return x
	}
	x := &tileCase{}
	x.blocks, x.Inner, x.Outer = 1+r.IntN(3), 1+r.IntN(9), 1+r.IntN(3)
	if r.IntN(8) == 0 {
		x.Inner = 185 + r.IntN(20) // about where C is asked for later
	}
	x.ColA = 4 * (1 + r.IntN(3))
	x.RowA, x.outerA = 4*r.IntN(30), 4*r.IntN(30)
	x.blockA = rows * x.RowA
	x.RowB = 4 * (width + r.IntN(5))
	x.outerB = x.Inner * x.RowB
	x.RowC = 4 * (width + r.IntN(5))
	x.blockC = rows * x.RowC
	x.Flags, x.Alpha = r.IntN(4), float32(1+r.IntN(2))
	a := whole(1 + ((x.blocks*rows)*x.RowA+x.Outer*x.outerA+x.Inner*x.ColA)/4)
	b := whole(x.Outer * x.Inner * x.RowB / 4)
	x.c = whole(x.blocks * rows * x.RowC / 4)
	x.A, x.B, x.Call.C = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&x.c[0])
	if r.IntN(2) == 0 {
		x.Bias = unsafe.Pointer(&whole(width)[0])
	}
	return x
}

func TestMicrokernels(t *testing.T) {
	all, r := kerneltest.RoutinesOf(t, "product_amd64.s"), kerneltest.Generator(61)
	for l := level.AVX2; l <= level.AVX512; l++ {
		s := ShapeOf(l)
		for _, width := range []int{s.Wide / 2, s.Wide} {
			for rows := 1; rows <= s.Rows; rows++ {
				name := fmt.Sprintf("%vTile%dx%d", l, rows, width)
				code := all[name]
				if code == nil {
					t.Fatalf("%s is missing", name)
				}
				for range 6 {
					x := newTileCase(r, rows, width)
					before, blocks := append([]float32(nil), x.c...), x.blocks
					plainTile(rows, width, &x.Call)
					want := append([]float32(nil), x.c...)
					copy(x.c, before)
					kerneltest.RunRoutine(t, code, unsafe.Pointer(&x.Call))
					kerneltest.SameNumbers(t, name+" interpreted", x.c, want)
					if l > level.Best() {
						continue
					}
					copy(x.c, before)
					x.blocks = blocks
					tileCall(l, rows, width, &x.Call)
					kerneltest.SameNumbers(t, name, x.c, want)
				}
			}
		}
	}
}
