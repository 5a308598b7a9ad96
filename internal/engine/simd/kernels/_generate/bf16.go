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
