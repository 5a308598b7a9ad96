package amx

import (
	"math"
	"slices"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// soundPairs and soundBytes compare every microkernel with the model: full and partial tiles, one step and several, C
// fresh and added to, and numbers that try it: denormal ones; bytes of either sign. A machine that nobody could try
// before is right, or is not used.
func soundPairs(run Runner) bool {
	seed := uint32(1)
	half := func() uint32 { // a number between -2 and 2, now and then a denormal one or a zero
		seed = seed*1664525 + 1013904223
		switch x := seed >> 9; x % 16 {
		case 0:
			return x >> 4 & 0x807f
		default:
			return x>>4&0x80ff | 0x3f00 - x>>12&3<<7
		}
	}
	draw := func() uint32 { return half() | half()<<16 }
	number := func() uint32 { return math.Float32bits(float32(int(draw()%4096)-2048) / 64) }
	return sound(run, []trial{{Kernel2x2, 32, 2}, {Kernel2x2, 17, 1}, {Kernel2x2, 27, 1}, {Kernel1x4, 16, 1}, {Kernel1x4, 5, 1}, {Kernel1x2, 16, 1}, {Kernel1x2, 1, 1}}, draw, number)
}

func soundBytes(run Runner) bool {
	seed := uint32(1)
	draw := func() uint32 {
		seed = seed*1664525 + 1013904223
		return seed ^ seed>>15
	}
	return sound(run, []trial{{Bytes2x2, 32, 2}, {Bytes2x2, 17, 1}, {Bytes2x2, 27, 1}, {Bytes1x2, 16, 1}, {Bytes1x2, 1, 1}}, draw, draw)
}

// trial is a microkernel on a number of rows, in blocks.
type trial struct {
	kind         Kind
	rows, blocks int
}

// sound compares microkernels with the model on words of A and B that draw makes, and words of C that old makes.
func sound(run Runner, trials []trial, draw, old func() uint32) bool {
	const blocks, steps, columns = 2, 3, 2 * Wide // at most
	const rowA, rowC = steps*Words + 16, columns + 16
	a, b := make([]uint32, blocks*2*Rows*rowA), make([]uint32, 2*steps*Words*Wide)
	for _, x := range [][]uint32{a, b} {
		for i := range x {
			x[i] = draw()
		}
	}
	fresh := make([]uint32, blocks*2*Rows*rowC)
	for i := range fresh {
		fresh[i] = old()
	}
	for _, c := range trials {
		for _, n := range []struct{ words, steps int }{{Words, steps}, {Words, 1}, {7, 1}, {1, 1}} {
			for _, flags := range []int{0, tile.Accumulate} {
				got, want := slices.Clone(fresh), slices.Clone(fresh)
				t := Call{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), Blocks: c.blocks, Steps: n.steps, Flags: flags,
					RowA: 4 * rowA, Row16A: 4 * 16 * rowA, BlockA: 4 * 32 * rowA, RowC: 4 * rowC, Row16C: 4 * 16 * rowC, BlockC: 4 * 32 * rowC,
					PanelB: 4 * steps * Words * Wide}
				t.Configure(c.kind, c.rows, n.words)
				u := t
				t.C, u.C = unsafe.Pointer(&got[0]), unsafe.Pointer(&want[0])
				run(c.kind, &t)
				Model(c.kind, &u)
				if !slices.Equal(got, want) {
					return false
				}
			}
		}
	}
	return true
}
