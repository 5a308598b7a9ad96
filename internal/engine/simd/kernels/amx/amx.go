// Package amx multiplies tiles of matrices by the instructions of AMX, once they have been checked against a model.
package amx

import (
	"encoding/binary"
	"unsafe"

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
	Bytes2x2              // as Kernel2x2, with words of four bytes and sums of whole numbers
	Bytes1x2              // as Kernel1x2, likewise
)

// bytes reports whether the kernel multiplies bytes: those of A without sign, those of B with one.
func (k Kind) bytes() bool { return k == Bytes2x2 || k == Bytes1x2 }

// double reports whether the kernel does two rows of tiles of A, and blocks of them.
func (k Kind) double() bool { return k == Kernel2x2 || k == Bytes2x2 }

// String names the generated function.
func (k Kind) String() string {
	return [...]string{"amxTile2x2", "amxTile1x4", "amxTile1x2", "amxBytes2x2", "amxBytes1x2"}[k]
}

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
	case Kernel2x2, Bytes2x2:
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
	case Kernel1x2, Bytes1x2:
		for i := range 2 {
			set(i, first, 64)
			set(6+i, words, 64)
		}
		set(4, first, 4*words)
	}
}

// Sum runs a microkernel over the words of a sum: whole steps first, then the last words, whose tiles are smaller.
func (t Call) Sum(run Runner, kind Kind, rows, words int) {
	done := words / Words * Words
	if done > 0 {
		t.Steps = done / Words
		t.Configure(kind, rows, Words)
		run(kind, &t)
		t.Flags = tile.Accumulate
	}
	if done == words {
		return
	}
	t.A, t.B = unsafe.Add(t.A, 4*done), unsafe.Add(t.B, 4*done*Wide)
	t.Steps = 1
	t.Configure(kind, rows, words-done)
	run(kind, &t)
}
