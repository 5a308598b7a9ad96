package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bytePairs writes the product of bytes for machines without VNNI, in registers of 256 and of 512 bits.
//
// VPMADDUBSW would add two products of bytes in 16 bits and cut off what is too large, so both sides are widened to
// 16 bits first: VPMADDWD adds two products in 32 bits, exactly. A comes widened, two words for four terms: the terms 0
// and 2, then the terms 1 and 3. B comes as for VNNI and is widened on the way.
// The sums are the same whole numbers, and the last two terms of a block are what they are in byteProducts.
func bytePairs() {
	for _, s := range []isa{
		{name: "pairs256", width: 8, rows: 5, vector: YMM},
		{name: "pairs512", width: 16, rows: 6, vector: ZMM},
	} {
		s.fold = func(bases []reg.GPVirtual, rowA, pb, rowB reg.Register, acc [][]reg.VecVirtual, a reg.VecVirtual, b []reg.VecVirtual) {
			foldPairs(s, bases, rowA, pb, rowB, acc, a, b[0])
		}
		for _, vectors := range []int{1, 2} {
			for rows := 1; rows <= s.rows; rows++ {
				s := s
				s.term = pairTerm(s, vectors)
				product(s, rows, vectors)
			}
		}
	}
	pairRange()
	pairRound()
}

// pairTerm adds four terms. Each number of A is spread once for all columns: machines that need this kernel do four
// instructions a cycle.
func pairTerm(s isa, vectors int) func(bases []reg.GPVirtual, rowA, pb reg.Register, acc [][]reg.VecVirtual) {
	return func(bases []reg.GPVirtual, rowA, pb reg.Register, acc [][]reg.VecVirtual) {
		b := make([][2]reg.VecVirtual, vectors) // the even and the odd bytes
		for j := range b {
			even, odd := s.vector(), s.vector()
			VMOVUPS(Mem{Base: pb, Disp: j * s.width * 4}, odd)
			VPSLLW(Imm(8), odd, even)
			VPSRAW(Imm(8), even, even)
			VPSRAW(Imm(8), odd, odd)
			b[j] = [2]reg.VecVirtual{even, odd}
		}
		for half := range 2 {
			for i := range acc {
				a := s.vector()
				VPBROADCASTD(rowOf(bases, rowA, i, 4*half), a)
				for j := range b {
					x := s.vector()
					VPMADDWD(b[j][half], a, x)
					VPADDD(x, acc[i][j], acc[i][j])
				}
			}
		}
	}
}

// rowOf addresses the present term of row i of A, one pointer standing for three rows.
func rowOf(bases []reg.GPVirtual, rowA reg.Register, i, shift int) Mem {
	m := Mem{Base: bases[i/3], Disp: shift}
	if i%3 > 0 {
		m.Index, m.Scale = rowA, uint8(i%3)
	}
	return m
}

// foldPairs is foldBytes with fewer registers.
func foldPairs(s isa, bases []reg.GPVirtual, rowA, pb, rowB reg.Register, acc [][]reg.VecVirtual, x, scale reg.VecVirtual) {
	sums := s.vector()
	for j := range acc[0] {
		VMOVUPS(Mem{Base: pb, Disp: 4 * s.width * j}, scale)
		VMOVUPS(Mem{Base: pb, Index: rowB, Scale: 1, Disp: 4 * s.width * j}, sums)
		for i := range acc {
			r := acc[i][j]
			VPBROADCASTD(rowOf(bases, rowA, i, 8), x)
			VPMULLD(sums, x, x)
			VPSUBD(x, r, r)
			VCVTDQ2PS(r, r)
			VMULPS(scale, r, r)
			VBROADCASTSS(rowOf(bases, rowA, i, 0), x)
			VMULPS(x, r, r)
		}
	}
}

// pairRange is byteRange in registers of 256 bits.
func pairRange() {
	const name = "pairsRange"
	TEXT(name, NOSPLIT, "func(out *[3]float32, src *float32, blocks int)")
	Doc(name + " gives the least and the greatest of 16·blocks numbers and 0, and 0, or NaN where one is not finite.")
	Pragma("noescape")
	out, src, blocks := GP64(), GP64(), GP64()
	Load(Param("out"), out)
	Load(Param("src"), src)
	Load(Param("blocks"), blocks)
	least, most, bad, zero := YMM(), YMM(), YMM(), YMM()
	for _, r := range []reg.VecVirtual{least, most, bad, zero} {
		VXORPS(r, r, r)
	}
	Label(name + "_next")
	for half := range 2 {
		x := YMM()
		VMOVUPS(Mem{Base: src, Disp: 32 * half}, x)
		VMINPS(x, least, least)
		VMAXPS(x, most, most)
		VFMADD231PS(zero, x, bad)
	}
	ADDQ(Imm(64), src)
	DECQ(blocks)
	JNE(LabelRef(name + "_next"))
	for i, r := range []struct {
		x  reg.VecVirtual
		do func(...Op)
	}{{least, VMINPS}, {most, VMAXPS}, {bad, VADDPS}} {
		y, z := r.x, XMM()
		VEXTRACTF128(Imm(1), y, z)
		r.do(z, y.AsX(), y.AsX())
		for _, swap := range []uint64{0x4e, 0xb1} {
			VPERMILPS(Imm(swap), y.AsX(), z)
			r.do(z, y.AsX(), y.AsX())
		}
		VMOVSS(y.AsX(), Mem{Base: out, Disp: 4 * i})
	}
	VZEROUPPER()
	RET()
}

// pairRound writes the rounding of a row to bytes that are widened to 16 bits.
func pairRound() {
	const name = "pairsRound"
	TEXT(name, NOSPLIT, "func(dst *uint32, src *float32, blocks int, inverse, zero float32)")
	Doc(name + " rounds x·inverse + zero for 16·blocks numbers x to 0 … 255, in 16 bits: of each four the first and third, then the others.")
	Pragma("noescape")
	dst, src, blocks := GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("blocks"), blocks)
	inverse, zero, none, most := YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(address(Param("inverse")), inverse)
	VBROADCASTSS(address(Param("zero")), zero)
	VPXOR(none, none, none)
	VMOVDQU(bits(255), most)
	order := GLOBL("pairs_order", RODATA|NOPTR) // words 0 2, 1 3 of either four
	for lane := range 2 {
		for i, w := range []int{0, 2, 1, 3, 4, 6, 5, 7} {
			DATA(16*lane+2*i, U16(uint16(2*w+1)<<8|uint16(2*w)))
		}
	}
	lanes := YMM()
	VMOVDQU(order, lanes)
	Label(name + "_next")
	x := []reg.VecVirtual{YMM(), YMM()}
	for i, r := range x {
		VMULPS(Mem{Base: src, Disp: 32 * i}, inverse, r)
		VADDPS(zero, r, r)
		VCVTPS2DQ(r, r)
		VPMAXSD(none, r, r)
		VPMINSD(most, r, r)
	}
	y := YMM()
	VPACKUSDW(x[1], x[0], y) // in either lane four numbers of x[0], then four of x[1]
	VPSHUFB(lanes, y, y)
	VPERMQ(Imm(0b11_01_10_00), y, y) // all of x[0] first
	VMOVDQU(y, Mem{Base: dst})
	ADDQ(Imm(64), src)
	ADDQ(Imm(32), dst)
	DECQ(blocks)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}
