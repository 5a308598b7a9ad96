// Package amx multiplies tiles of matrices by the instructions of AMX, once they have been checked against a model.
package amx

import (
	"encoding/binary"
	"math"
	"sync"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// AMX multiplies tiles of 16 rows: of A, 16 words of two neighbouring terms a row; of B, as many rows of 16 columns'
// words; of C, 16 numbers. The panels that packBF16 makes are two tiles of B side by side, and rounded rows of A are
// tiles where they lie, so everything but the microkernels is shared with AVX512-BF16.

// Call is one call of a microkernel of tiles. Distances are in bytes.
type Call struct {
	config               [64]byte // of the tiles: the operand of LDTILECFG
	A, B, C              unsafe.Pointer
	Blocks, Steps        int // blocks of rows (Kernel2x2); steps of the configuration's words of the sum
	RowA, Row16A, BlockA int // from row to row, over 16 of them, and from block to block
	RowC, Row16C, BlockC int
	PanelB               int // from a panel of B to the next (Kernel1x4)
	Flags                int // tile.Accumulate
}

// Kind is a microkernel.
type Kind uint8

const (
	Kernel2x2 Kind = iota // 32 rows, the second 16 perhaps fewer, by 32 columns; blocks of them
	Kernel1x4             // up to 16 rows by 64 columns, of two panels
	Kernel1x2             // up to 16 rows by 32 columns
)

// String names the generated function.
func (k Kind) String() string { return [...]string{"amxTile2x2", "amxTile1x4", "amxTile1x2"}[k] }

const (
	Rows  = 16 // of a tile
	Words = 16 // of the sum in a tile
	Wide  = 32 // columns of a panel: two tiles
)

// Configure says how large the tiles are for a number of rows and words: palette 1, then the bytes of a row of each tile,
// then the rows of each.
func (t *Call) Configure(kind Kind, rows, words int) {
	t.config = [64]byte{0: 1}
	set := func(tile, rows, bytes int) {
		binary.LittleEndian.PutUint16(t.config[16+2*tile:], uint16(bytes))
		t.config[48+tile] = byte(rows)
	}
	first, second := min(rows, Rows), rows-Rows
	switch kind {
	case Kernel2x2:
		for i := range 2 {
			set(i, first, 64)
			set(2+i, second, 64)
			set(6+i, words, 64)
		}
		set(4, first, 4*words)
		set(5, second, 4*words)
	case Kernel1x4:
		for i := range 4 {
			set(i, first, 64)
		}
		set(4, first, 4*words)
		for i := 5; i < 8; i++ {
			set(i, words, 64)
		}
	case Kernel1x2:
		for i := range 2 {
			set(i, first, 64)
			set(6+i, words, 64)
		}
		set(4, first, 4*words)
	}
}

// Runner runs a microkernel.
type Runner func(kind Kind, t *Call)

// found is what the first use of tiles found out.
type found struct {
	run Runner // nil where tiles are not used
	why string // they are not, though the CPU has them
}

// firstUse asks for tiles, once: the permission holds for the process and makes its signals need larger stacks, so it is
// not asked for before somebody wants bfloat16.
var firstUse = sync.OnceValue(func() found {
	run, why := request()
	if run != nil && !sound(run) {
		run, why = nil, "tiles give wrong results"
	}
	return found{run, why}
})

// assumed, where set, stands for what the machine has.
var assumed Runner

// Assume puts the model or an interpreter in the place of the machine's tiles, and returns a function that ends
// this. It is for tests: nothing may be computing meanwhile.
func Assume(run Runner) (restore func()) {
	old := assumed
	assumed = run
	return func() { assumed = old }
}

// Use gives what runs tiles, or nil where AVX512-BF16 does the work.
func Use() Runner {
	switch {
	case assumed != nil:
		return assumed
	case level.Current() < level.AMX:
		return nil
	}
	return firstUse().run
}

// Note says why the tiles (AMX) of this machine's CPU are not used; "" where they are, or where it has none. It
// asks the system for the permission to use them.
func Note() string {
	switch {
	case level.Current() == level.Best() && level.Best() < level.AMX:
		return level.TilesMissing()
	case level.Current() < level.AMX:
		return "" // GROUPVIT_SIMD asks for less
	}
	return firstUse().why
}

// Model is the definition of the microkernels, bit for bit: in each step of 16 words the products of the lower
// halves are a chain of sums from zero, those of the upper halves another, and both together are added to C. Denormal
// numbers count as zero, as operands and as results. That is what an Intel CPU was seen to compute.
func Model(kind Kind, t *Call) {
	words := int(t.config[48+6]) // rows of a tile of B
	rows, columns, blocks := int(t.config[48]), Wide, 1
	switch kind {
	case Kernel2x2:
		rows, blocks = rows+int(t.config[48+2]), t.Blocks
	case Kernel1x4:
		columns = 2 * Wide
	}
	word := func(p unsafe.Pointer, at int) uint32 { return *(*uint32)(unsafe.Add(p, at)) }
	for block := range blocks {
		for i := range rows {
			for j := range columns {
				c := (*float32)(unsafe.Add(t.C, block*t.BlockC+i*t.RowC+4*j))
				d := float32(0)
				if t.Flags&tile.Accumulate != 0 {
					d = *c
				}
				for step := range t.Steps {
					var even, odd float32
					for q := range words {
						a := word(t.A, block*t.BlockA+i*t.RowA+step*4*Words+4*q)
						b := word(t.B, j/Wide*t.PanelB+(step*Words+q)*4*Wide+j%Wide*4)
						even = flushed(even + flushed(tile.FromBF16(uint16(a)))*flushed(tile.FromBF16(uint16(b))))
						odd = flushed(odd + flushed(tile.FromBF16(uint16(a>>16)))*flushed(tile.FromBF16(uint16(b>>16))))
					}
					d = flushed(flushed(d) + flushed(even+odd))
				}
				*c = d
			}
		}
	}
}

// flushed makes denormal numbers zero.
func flushed(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & 0x80000000)
	}
	return x
}

// sound compares every microkernel with the model: full and partial tiles, one step and several, C fresh and added
// to, denormal numbers among the operands. A machine that nobody could try before is right, or is not used.
func sound(run Runner) bool {
	seed := uint32(1)
	draw := func() uint32 { // words of two numbers between -2 and 2, now and then a denormal one or a zero
		half := func() uint32 {
			seed = seed*1664525 + 1013904223
			switch x := seed >> 9; x % 16 {
			case 0:
				return x >> 4 & 0x807f
			default:
				return x>>4&0x80ff | 0x3f00 - x>>12&3<<7
			}
		}
		return half() | half()<<16
	}
	const blocks, steps, columns = 2, 3, 2 * Wide
	const rowA, rowC = steps*Words + 16, columns + 16
	a, b := make([]uint32, blocks*2*Rows*rowA), make([]uint32, 2*steps*Words*Wide)
	for _, x := range [][]uint32{a, b} {
		for i := range x {
			x[i] = draw()
		}
	}
	fresh := make([]float32, blocks*2*Rows*rowC)
	for i := range fresh {
		fresh[i] = float32(int(draw()%4096)-2048) / 64
	}
	for _, c := range []struct {
		kind         Kind
		rows, blocks int
	}{{Kernel2x2, 32, blocks}, {Kernel2x2, 17, 1}, {Kernel2x2, 27, 1}, {Kernel1x4, 16, 1}, {Kernel1x4, 5, 1}, {Kernel1x2, 16, 1}, {Kernel1x2, 1, 1}} {
		for _, n := range []struct{ words, steps int }{{Words, steps}, {Words, 1}, {7, 1}, {1, 1}} {
			for _, flags := range []int{0, tile.Accumulate} {
				got, want := append([]float32(nil), fresh...), append([]float32(nil), fresh...)
				t := Call{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), Blocks: c.blocks, Steps: n.steps, Flags: flags,
					RowA: 4 * rowA, Row16A: 4 * 16 * rowA, BlockA: 4 * 32 * rowA, RowC: 4 * rowC, Row16C: 4 * 16 * rowC, BlockC: 4 * 32 * rowC,
					PanelB: 4 * steps * Words * Wide}
				t.Configure(c.kind, c.rows, n.words)
				u := t
				t.C, u.C = unsafe.Pointer(&got[0]), unsafe.Pointer(&want[0])
				run(c.kind, &t)
				Model(c.kind, &u)
				for i := range want {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						return false
					}
				}
			}
		}
	}
	return true
}
