package kernels

import (
	"encoding/binary"
	"math"
	"sync"
	"unsafe"
)

// AMX multiplies tiles of 16 rows: of A, 16 words of two neighbouring terms a row; of B, as many rows of 16 columns'
// words; of C, 16 numbers. The panels that packBF16 makes are two tiles of B side by side, and rounded rows of A are
// tiles where they lie, so everything but the microkernels is shared with AVX512-BF16.

// amxTile is one call of a microkernel of tiles. Distances are in bytes.
type amxTile struct {
	config               [64]byte // of the tiles: the operand of LDTILECFG
	a, b, c              unsafe.Pointer
	blocks, steps        int // blocks of rows (amx2x2); steps of the configuration's words of the sum
	rowA, row16A, blockA int // from row to row, over 16 of them, and from block to block
	rowC, row16C, blockC int
	panelB               int // from a panel of B to the next (amx1x4)
	flags                int // tileAccumulate
}

// amxKind is a microkernel.
type amxKind uint8

const (
	amx2x2 amxKind = iota // 32 rows, the second 16 perhaps fewer, by 32 columns; blocks of them
	amx1x4                // up to 16 rows by 64 columns, of two panels
	amx1x2                // up to 16 rows by 32 columns
)

const (
	amxRows  = 16 // of a tile
	amxWords = 16 // of the sum in a tile
	amxWide  = 32 // columns of a panel: two tiles
)

// configure says how large the tiles are for a number of rows and words: palette 1, then the bytes of a row of each tile,
// then the rows of each.
func (t *amxTile) configure(kind amxKind, rows, words int) {
	t.config = [64]byte{0: 1}
	set := func(tile, rows, bytes int) {
		binary.LittleEndian.PutUint16(t.config[16+2*tile:], uint16(bytes))
		t.config[48+tile] = byte(rows)
	}
	first, second := min(rows, amxRows), rows-amxRows
	switch kind {
	case amx2x2:
		for i := range 2 {
			set(i, first, 64)
			set(2+i, second, 64)
			set(6+i, words, 64)
		}
		set(4, first, 4*words)
		set(5, second, 4*words)
	case amx1x4:
		for i := range 4 {
			set(i, first, 64)
		}
		set(4, first, 4*words)
		for i := 5; i < 8; i++ {
			set(i, words, 64)
		}
	case amx1x2:
		for i := range 2 {
			set(i, first, 64)
			set(6+i, words, 64)
		}
		set(4, first, 4*words)
	}
}

// amxRunner runs a microkernel.
type amxRunner func(kind amxKind, t *amxTile)

// amxState is what the first use of tiles found out.
type amxState struct {
	run amxRunner // nil where tiles are not used
	why string    // they are not, though the CPU has them
}

// amxFirst asks for tiles, once: the permission holds for the process and makes its signals need larger stacks, so it is
// not asked for before somebody wants bfloat16.
var amxFirst = sync.OnceValue(func() amxState {
	run, why := amxRequest()
	if run != nil && !soundAMX(run) {
		run, why = nil, "tiles give wrong results"
	}
	return amxState{run, why}
})

// amxAssumed, where set, stands for what the machine has: tests put the model or an interpreter here.
var amxAssumed amxRunner

// amxUse gives what runs tiles, or nil where AVX512-BF16 does the work.
func amxUse() amxRunner {
	switch {
	case amxAssumed != nil:
		return amxAssumed
	case Path() < AMX:
		return nil
	}
	return amxFirst().run
}

// AMXNote says why the tiles (AMX) of this machine's CPU are not used; "" where they are, or where it has none. It
// asks the system for the permission to use them.
func AMXNote() string {
	switch {
	case Path() == Best() && Best() < AMX:
		return amxMissing()
	case Path() < AMX:
		return "" // GROUPVIT_SIMD asks for less
	}
	return amxFirst().why
}

// amxModel is the definition of the microkernels, bit for bit: in each step of 16 words the products of the lower
// halves are a chain of sums from zero, those of the upper halves another, and both together are added to C. Denormal
// numbers count as zero, as operands and as results. That is what an Intel CPU was seen to compute.
func amxModel(kind amxKind, t *amxTile) {
	words := int(t.config[48+6]) // rows of a tile of B
	rows, columns, blocks := int(t.config[48]), amxWide, 1
	switch kind {
	case amx2x2:
		rows, blocks = rows+int(t.config[48+2]), t.blocks
	case amx1x4:
		columns = 2 * amxWide
	}
	word := func(p unsafe.Pointer, at int) uint32 { return *(*uint32)(unsafe.Add(p, at)) }
	for block := range blocks {
		for i := range rows {
			for j := range columns {
				c := (*float32)(unsafe.Add(t.c, block*t.blockC+i*t.rowC+4*j))
				d := float32(0)
				if t.flags&tileAccumulate != 0 {
					d = *c
				}
				for step := range t.steps {
					var even, odd float32
					for q := range words {
						a := word(t.a, block*t.blockA+i*t.rowA+step*4*amxWords+4*q)
						b := word(t.b, j/amxWide*t.panelB+(step*amxWords+q)*4*amxWide+j%amxWide*4)
						even = flushed(even + flushed(fromBF16(uint16(a)))*flushed(fromBF16(uint16(b))))
						odd = flushed(odd + flushed(fromBF16(uint16(a>>16)))*flushed(fromBF16(uint16(b>>16))))
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

// soundAMX compares every microkernel with the model: full and partial tiles, one step and several, C fresh and added
// to, denormal numbers among the operands. A machine that nobody could try before is right, or is not used.
func soundAMX(run amxRunner) bool {
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
	const blocks, steps, columns = 2, 3, 2 * amxWide
	const rowA, rowC = steps*amxWords + 16, columns + 16
	a, b := make([]uint32, blocks*2*amxRows*rowA), make([]uint32, 2*steps*amxWords*amxWide)
	for _, x := range [][]uint32{a, b} {
		for i := range x {
			x[i] = draw()
		}
	}
	fresh := make([]float32, blocks*2*amxRows*rowC)
	for i := range fresh {
		fresh[i] = float32(int(draw()%4096)-2048) / 64
	}
	for _, c := range []struct {
		kind         amxKind
		rows, blocks int
	}{{amx2x2, 32, blocks}, {amx2x2, 17, 1}, {amx2x2, 27, 1}, {amx1x4, 16, 1}, {amx1x4, 5, 1}, {amx1x2, 16, 1}, {amx1x2, 1, 1}} {
		for _, n := range []struct{ words, steps int }{{amxWords, steps}, {amxWords, 1}, {7, 1}, {1, 1}} {
			for _, flags := range []int{0, tileAccumulate} {
				got, want := append([]float32(nil), fresh...), append([]float32(nil), fresh...)
				t := amxTile{a: unsafe.Pointer(&a[0]), b: unsafe.Pointer(&b[0]), blocks: c.blocks, steps: n.steps, flags: flags,
					rowA: 4 * rowA, row16A: 4 * 16 * rowA, blockA: 4 * 32 * rowA, rowC: 4 * rowC, row16C: 4 * 16 * rowC, blockC: 4 * 32 * rowC,
					panelB: 4 * steps * amxWords * amxWide}
				t.configure(c.kind, c.rows, n.words)
				u := t
				t.c, u.c = unsafe.Pointer(&got[0]), unsafe.Pointer(&want[0])
				run(c.kind, &t)
				amxModel(c.kind, &u)
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
