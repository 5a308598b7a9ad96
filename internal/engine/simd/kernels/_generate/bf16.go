package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bfloats writes the product of bfloat16 numbers. Its microkernels are those of float32 with another
// multiplication: what is one number there is a pair of neighbouring terms here.
func bfloats() {
	s := isa{name: "bf16", width: 16, rows: 12, vector: ZMM, multiply: func(b, a, acc reg.VecVirtual) { dotBF16(b, a, acc) }}
	for _, vectors := range []int{1, 2} {
		for rows := 1; rows <= s.rows; rows++ {
			product(s, rows, vectors)
		}
	}

	bf16Round()
	bf16Pairs()
}

// bf16Round writes the rounding of a row.
func bf16Round() {
	const name = "bf16Round"
	TEXT(name, NOSPLIT, "func(dst *uint32, src *float32, blocks int)")
	Doc(name + " rounds 32·blocks numbers to pairs of bfloat16, to nearest even, denormals to zero.")
	Pragma("noescape")
	dst, src, blocks := GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("blocks"), blocks)
	Label(name + "_next")
	low, high := ZMM(), ZMM()
	VMOVUPS(Mem{Base: src}, low)
	VMOVUPS(Mem{Base: src, Disp: 64}, high)
	roundBF16(low, high, low)
	VMOVUPS(low, Mem{Base: dst})
	ADDQ(Imm(128), src)
	ADDQ(Imm(64), dst)
	DECQ(blocks)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}

// bf16Pairs writes the rounding of two rows to one of pairs.
func bf16Pairs() {
	const name = "bf16Pairs"
	TEXT(name, NOSPLIT, "func(dst *uint32, even, odd *float32, blocks int)")
	Doc(name + " rounds 16·blocks numbers of each of two rows to words, those of even in the lower half.")
	Pragma("noescape")
	dst, even, odd, blocks := GP64(), GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("even"), even)
	Load(Param("odd"), odd)
	Load(Param("blocks"), blocks)
	Label(name + "_next")
	low, high := ZMM(), ZMM()
	VMOVUPS(Mem{Base: even}, low)
	VMOVUPS(Mem{Base: odd}, high)
	roundBF16(low, high, low)
	half := YMM()
	VEXTRACTI64X4(Imm(1), low, half)
	VPMOVZXWD(half, high)
	VPSLLD(Imm(16), high, high)
	VPMOVZXWD(low.AsY(), low)
	VPORD(low, high, low)
	VMOVUPS(low, Mem{Base: dst})
	ADDQ(Imm(64), even)
	ADDQ(Imm(64), odd)
	ADDQ(Imm(64), dst)
	DECQ(blocks)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}
