package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byteProducts writes the product of A in unsigned bytes with B in signed ones. Its microkernels are those of
// float32 with another multiplication: what is one number there is four neighbouring terms here. The
// last two terms of a block are the scale and the zero point of the row of A, and the scale and the sum
// of the column of B.
func byteProducts() {
	s := isa{name: "int8", width: 16, rows: 12, vector: ZMM, fold: foldBytes,
		multiply: func(b, a, acc reg.VecVirtual) { VPDPBUSD(b, a, acc) }}
	for _, vectors := range []int{1, 2} {
		for rows := 1; rows <= s.rows; rows++ {
			product(s, rows, vectors)
		}
	}
	byteRange()
	byteRound()
}

// foldBytes makes acc, whole numbers, (acc − zero·sum)·scale of the column·scale of the row, in float32.
// The bases and pb have come to the last two terms.
func foldBytes(bases []reg.GPVirtual, rowA, pb, rowB reg.Register, acc [][]reg.VecVirtual, a reg.VecVirtual, b []reg.VecVirtual) {
	sums := make([]reg.VecVirtual, len(b))
	for j := range b {
		VMOVUPS(Mem{Base: pb, Disp: 64 * j}, b[j])
		sums[j] = ZMM()
		VMOVUPS(Mem{Base: pb, Index: rowB, Scale: 1, Disp: 64 * j}, sums[j])
	}
	zero := ZMM()
	for i := range acc {
		m := Mem{Base: bases[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = rowA, uint8(i%3)
		}
		VBROADCASTSS(m, a)
		m.Disp = 4
		VPBROADCASTD(m, zero)
		for j, r := range acc[i] {
			t := ZMM()
			VPMULLD(sums[j], zero, t)
			VPSUBD(t, r, r)
			VCVTDQ2PS(r, r)
			VMULPS(b[j], r, r)
			VMULPS(a, r, r)
		}
	}
}

// byteRange writes the smallest and the largest of a row, and a sum that is 0, or NaN where something is not finite.
func byteRange() {
	const name = "int8Range"
	TEXT(name, NOSPLIT, "func(out *[3]float32, src *float32, blocks int)")
	Doc(name + " gives the least and the greatest of 16·blocks numbers and 0, and 0, or NaN where one is not finite.")
	Pragma("noescape")
	out, src, blocks := GP64(), GP64(), GP64()
	Load(Param("out"), out)
	Load(Param("src"), src)
	Load(Param("blocks"), blocks)
	least, most, bad, zero := ZMM(), ZMM(), ZMM(), ZMM()
	for _, r := range []reg.VecVirtual{least, most, bad, zero} {
		VPXORD(r, r, r)
	}
	Label(name + "_next")
	x := ZMM()
	VMOVUPS(Mem{Base: src}, x)
	VMINPS(x, least, least)
	VMAXPS(x, most, most)
	VFMADD231PS(zero, x, bad)
	ADDQ(Imm(64), src)
	DECQ(blocks)
	JNE(LabelRef(name + "_next"))
	for i, r := range []struct {
		x  reg.VecVirtual
		do func(...Op)
	}{{least, VMINPS}, {most, VMAXPS}, {bad, VADDPS}} {
		half, y, z := YMM(), YMM(), XMM()
		VEXTRACTF64X4(Imm(1), r.x, half)
		VMOVAPS(r.x.AsY(), y)
		r.do(half, y, y)
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

// byteRound writes the rounding of a row to bytes.
func byteRound() {
	const name = "int8Round"
	TEXT(name, NOSPLIT, "func(dst *uint32, src *float32, blocks int, inverse, zero float32)")
	Doc(name + " rounds x·inverse + zero for 16·blocks numbers x to bytes 0 … 255.")
	Pragma("noescape")
	dst, src, blocks := GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("blocks"), blocks)
	inverse, zero, none := ZMM(), ZMM(), ZMM()
	VBROADCASTSS(address(Param("inverse")), inverse)
	VBROADCASTSS(address(Param("zero")), zero)
	VPXORD(none, none, none)
	Label(name + "_next")
	x, short := ZMM(), XMM()
	VMULPS(Mem{Base: src}, inverse, x)
	VADDPS(zero, x, x)
	VCVTPS2DQ(x, x)
	VPMAXSD(none, x, x)
	VPMOVUSDB(x, short)
	VMOVUPS(short, Mem{Base: dst})
	ADDQ(Imm(64), src)
	ADDQ(Imm(16), dst)
	DECQ(blocks)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}
