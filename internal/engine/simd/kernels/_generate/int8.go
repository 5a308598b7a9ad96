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
	byteFold()
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

// Offsets of the fields of tile.Fold (a test there compares them).
const (
	foldSums = 8 * iota
	foldA
	foldB
	foldC
	foldBias
	foldRows
	foldRowA
	foldRowC
	foldFlags
	foldAlpha
)

// byteFold writes what foldBytes and finish do, for sums of whole numbers that lie in memory.
func byteFold() {
	const name = "int8Fold"
	TEXT(name, NOSPLIT, "func(f *[10]uint64)")
	Doc(name + " makes float32 numbers of rows of 32 whole ones.")
	Pragma("noescape")
	f := GP64()
	Load(Param("f"), f)
	load := func(offset int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: f, Disp: offset}, r)
		return r
	}
	sums, a, pb, c, bias := load(foldSums), load(foldA), load(foldB), load(foldC), load(foldBias)
	rows, rowA, rowC, flags := load(foldRows), load(foldRowA), load(foldRowC), load(foldFlags)
	alpha, none, scale, zero := ZMM(), ZMM(), ZMM(), ZMM()
	VBROADCASTSS(Mem{Base: f, Disp: foldAlpha}, alpha)
	VPXORD(none, none, none)
	var scales, columns, biases, x [2]reg.VecVirtual
	each := func(do func(j int, at int)) {
		for j := range 2 {
			do(j, 64*j)
		}
	}
	each(func(j, at int) {
		scales[j], columns[j], biases[j], x[j] = ZMM(), ZMM(), ZMM(), ZMM()
		VMOVUPS(Mem{Base: pb, Disp: at}, scales[j])
		VMOVUPS(Mem{Base: pb, Disp: 128 + at}, columns[j])
		VPXORD(biases[j], biases[j], biases[j])
	})
	TESTQ(bias, bias)
	JE(LabelRef(name + "_next"))
	each(func(j, at int) { VMOVUPS(Mem{Base: bias, Disp: at}, biases[j]) })
	Label(name + "_next")
	VBROADCASTSS(Mem{Base: a}, scale)
	VPBROADCASTD(Mem{Base: a, Disp: 4}, zero)
	each(func(j, at int) {
		t := ZMM()
		VPMULLD(columns[j], zero, t)
		VMOVUPS(Mem{Base: sums, Disp: at}, x[j])
		VPSUBD(t, x[j], x[j])
		VCVTDQ2PS(x[j], x[j])
		VMULPS(scales[j], x[j], x[j])
		VMULPS(scale, x[j], x[j])
		VMULPS(alpha, x[j], x[j])
	})
	TESTQ(U32(1), flags)
	JE(LabelRef(name + "_fresh"))
	each(func(j, at int) { VADDPS(Mem{Base: c, Disp: at}, x[j], x[j]) })
	Label(name + "_fresh")
	TESTQ(bias, bias) // to add a zero would change the sign of one
	JE(LabelRef(name + "_unbiased"))
	each(func(j, _ int) { VADDPS(biases[j], x[j], x[j]) })
	Label(name + "_unbiased")
	TESTQ(U32(2), flags)
	JE(LabelRef(name + "_store"))
	each(func(j, _ int) { VMAXPS(x[j], none, x[j]) }) // NaN stays
	Label(name + "_store")
	each(func(j, at int) { VMOVUPS(x[j], Mem{Base: c, Disp: at}) })
	ADDQ(Imm(128), sums)
	ADDQ(rowA, a)
	ADDQ(rowC, c)
	DECQ(rows)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}
