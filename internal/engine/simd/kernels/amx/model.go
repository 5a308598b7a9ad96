package amx

import (
	"math"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// Model is the definition of the microkernels, bit for bit: in each step of 16 words the products of the lower
// halves are a chain of sums from zero, those of the upper halves another, and both together are added to C. Denormal
// numbers count as zero, as operands and as results. That is what an Intel CPU was seen to compute. Products of bytes
// are added in whole numbers of 32 bits.
func Model(kind Kind, t *Call) {
	sum := t.sumPairs
	if kind.bytes() {
		sum = t.sumBytes
	}
	rows, columns, blocks := int(t.config[48]), Wide, 1
	switch {
	case kind.double():
		rows, blocks = rows+int(t.config[48+2]), t.Blocks
	case kind == Kernel1x4:
		columns = 2 * Wide
	}
	for block := range blocks {
		for i := range rows {
			for j := range columns {
				sum(block*t.BlockA+i*t.RowA, j, unsafe.Add(t.C, block*t.BlockC+i*t.RowC+4*j))
			}
		}
	}
}

// words calls f for the words of a row of A, which starts rowA bytes on, and of column j of B, step by step.
func (t *Call) words(rowA, j, step int, f func(a, b uint32)) {
	word := func(p unsafe.Pointer, at int) uint32 { return *(*uint32)(unsafe.Add(p, at)) }
	for q := range int(t.config[48+6]) { // rows of a tile of B
		f(word(t.A, rowA+step*4*Words+4*q), word(t.B, j/Wide*t.PanelB+(step*Words+q)*4*Wide+j%Wide*4))
	}
}

func (t *Call) sumPairs(rowA, j int, at unsafe.Pointer) {
	c, d := (*float32)(at), float32(0)
	if t.Flags&tile.Accumulate != 0 {
		d = *c
	}
	for step := range t.Steps {
		var even, odd float32
		t.words(rowA, j, step, func(a, b uint32) {
			even = flushed(even + flushed(tile.FromBF16(uint16(a)))*flushed(tile.FromBF16(uint16(b))))
			odd = flushed(odd + flushed(tile.FromBF16(uint16(a>>16)))*flushed(tile.FromBF16(uint16(b>>16))))
		})
		d = flushed(flushed(d) + flushed(even+odd))
	}
	*c = d
}

func (t *Call) sumBytes(rowA, j int, at unsafe.Pointer) {
	c, d := (*int32)(at), int32(0)
	if t.Flags&tile.Accumulate != 0 {
		d = *c
	}
	for step := range t.Steps {
		t.words(rowA, j, step, func(a, b uint32) {
			for shift := 0; shift < 32; shift += 8 {
				d += int32(uint8(a>>shift)) * int32(int8(b>>shift))
			}
		})
	}
	*c = d
}

// flushed makes denormal numbers zero.
func flushed(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & 0x80000000)
	}
	return x
}
