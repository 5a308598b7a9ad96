package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// choices writes comparisons into bools and selection by bools, for whole eights of elements.
func choices() {
	for _, c := range []struct {
		name      string
		predicate uint8
	}{{"Equal", 0}, {"NotEqual", 4}, {"Less", 0x11}, {"LessEqual", 0x12}} {
		for _, form := range []struct{ suffix, comment, signature string }{
			{"", "x and y", "func(dst *bool, x, y *float32, blocks int)"},
			{"Scalar", "x and s", "func(dst *bool, x *float32, s float32, blocks int)"},
			{"ByScalar", "s and x", "func(dst *bool, x *float32, s float32, blocks int)"},
		} {
			if form.suffix == "ByScalar" && c.predicate < 0x11 {
				continue // the same both ways
			}
			name := "vec" + c.name + form.suffix
			TEXT(name, NOSPLIT, form.signature)
			Doc(name + " compares " + form.comment + ", 8·blocks elements.")
			Pragma("noescape")
			dst, x, blocks := GP64(), GP64(), GP64()
			Load(Param("dst"), dst)
			Load(Param("x"), x)
			Load(Param("blocks"), blocks)
			var y reg.GPVirtual
			var s reg.VecVirtual
			if form.suffix == "" {
				y = GP64()
				Load(Param("y"), y)
			} else {
				s = scalar("s")
			}
			ones, word := GP64(), GP64()
			MOVQ(U64(0x0101010101010101), ones)
			Label(name + "_next")
			a, m := YMM(), YMM()
			VMOVUPS(Mem{Base: x}, a)
			switch form.suffix {
			case "":
				VCMPPS(Imm(uint64(c.predicate)), Mem{Base: y}, a, m)
				ADDQ(Imm(32), y)
			case "Scalar":
				VCMPPS(Imm(uint64(c.predicate)), s, a, m)
			default:
				VCMPPS(Imm(uint64(c.predicate)), a, s, m)
			}
			bits := GP32()
			VMOVMSKPS(m, bits)
			PDEPQ(ones, bits.As64(), word) // a bit for each byte
			MOVQ(word, Mem{Base: dst})
			ADDQ(Imm(32), x)
			ADDQ(Imm(8), dst)
			DECQ(blocks)
			JNE(LabelRef(name + "_next"))
			end()
		}
	}

	const name = "vecSelect"
	TEXT(name, NOSPLIT, "func(dst *float32, cond *bool, x, y *float32, stepX, stepY, blocks int)")
	Doc(name + " takes x where cond, else y, 8·blocks elements; a step of 0 repeats the first eight.")
	Pragma("noescape")
	p := map[string]reg.GPVirtual{}
	for _, n := range []string{"dst", "cond", "x", "y", "stepX", "stepY", "blocks"} {
		p[n] = GP64()
		Load(Param(n), p[n])
	}
	zero := YMM()
	VXORPS(zero, zero, zero)
	Label(name + "_next")
	m, v := YMM(), YMM()
	VPMOVZXBD(Mem{Base: p["cond"]}, m)
	VPCMPGTD(zero, m, m)
	VMOVUPS(Mem{Base: p["y"]}, v)
	VBLENDVPS(m, Mem{Base: p["x"]}, v, v)
	VMOVUPS(v, Mem{Base: p["dst"]})
	ADDQ(p["stepX"], p["x"])
	ADDQ(p["stepY"], p["y"])
	ADDQ(Imm(32), p["dst"])
	ADDQ(Imm(8), p["cond"])
	DECQ(p["blocks"])
	JNE(LabelRef(name + "_next"))
	end()
}
