package main

import (
	"encoding/binary"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// The instructions of AVX512-BF16 that Go's assembler does not know. They are written with names, so
// that registers are allocated as for any other, and turned into bytes at the end.
var unknown = map[string]struct{ prefix, opcode byte }{
	// VDPBF16PS x, y, acc: acc += x·y, sums of two products of bfloat16 in each lane of 32 bits.
	"VDPBF16PS": {prefixF3, 0x52},
	// VCVTNE2PS2BF16 low, high, dst: both rounded to bfloat16, to nearest even; denormals are zero.
	"VCVTNE2PS2BF16": {prefixF2, 0x72},
}

// The field pp of an EVEX prefix, which stands for a prefix byte of old.
const (
	prefixF3 = 2
	prefixF2 = 3
)

// isaBF16 is what the instructions need.
const isaBF16 = "AVX512_BF16"

func init() { pass.Compile = pass.Concat(pass.Compile, pass.FunctionPass(encodeUnknown)) }

// dotBF16 emits acc += x·y.
func dotBF16(x, y, acc reg.Register) {
	Instruction(&ir.Instruction{Opcode: "VDPBF16PS", Operands: []Op{x, y, acc}, Inputs: []Op{x, y, acc},
		Outputs: []Op{acc}, ISA: []string{isaBF16}})
}

// roundBF16 emits the conversion of 32 numbers.
func roundBF16(low, high, dst reg.Register) {
	Instruction(&ir.Instruction{Opcode: "VCVTNE2PS2BF16", Operands: []Op{low, high, dst}, Inputs: []Op{low, high},
		Outputs: []Op{dst}, ISA: []string{isaBF16}})
}

// encodeUnknown replaces the instructions by their bytes, each under a comment.
func encodeUnknown(f *ir.Function) error {
	for i := 0; i < len(f.Nodes); i++ {
		n, ok := f.Nodes[i].(*ir.Instruction)
		if !ok {
			continue
		}
		form, ok := unknown[n.Opcode]
		if !ok {
			continue
		}
		var number [3]byte
		for j, x := range n.Operands {
			r, ok := x.(reg.VecPhysical)
			if !ok || r.Size() != 64 {
				return fmt.Errorf("%s: %s is not a register of 512 bits", n.Opcode, x.Asm())
			}
			number[j] = byte(r.PhysicalIndex())
		}
		b := evex(form.prefix, form.opcode, number[0], number[1], number[2])
		text := fmt.Sprintf("%s %s, %s, %s", n.Opcode, n.Operands[0].Asm(), n.Operands[1].Asm(), n.Operands[2].Asm())
		replacement := []ir.Node{
			ir.NewComment(text),
			&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(binary.LittleEndian.Uint32(b[:]))}},
			&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(binary.LittleEndian.Uint16(b[4:]))}},
		}
		f.Nodes = append(f.Nodes[:i], append(replacement, f.Nodes[i+1:]...)...)
		i += len(replacement) - 1
	}
	return nil
}

// evex encodes an instruction of the map 0F38 on registers of 512 bits, W = 0, without a mask (Intel's
// manual, volume 2, 2.7.1). rm and v are the sources, r the destination; numbers are stored inverted.
func evex(prefix, opcode, rm, v, r byte) [6]byte {
	inverted := func(number byte, bit, at int) byte { return (^number >> bit & 1) << at }
	return [6]byte{
		0x62,
		inverted(r, 3, 7) | inverted(rm, 4, 6) | inverted(rm, 3, 5) | inverted(r, 4, 4) | 0b010, // R X B R' 0F38
		(^v & 15 << 3) | 1<<2 | prefix, // W=0 vvvv 1 pp
		0b10<<5 | inverted(v, 4, 3),    // 512 bits, V'
		opcode,
		0b11<<6 | r&7<<3 | rm&7,
	}
}
