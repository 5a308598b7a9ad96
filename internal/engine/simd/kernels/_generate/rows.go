package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sums are four accumulators of eight: enough to hide the latency of an addition.
type sums []reg.VecVirtual

func accumulators(first Mem) sums {
	s := make(sums, 4)
	for i := range s {
		s[i] = spread(first)
	}
	return s
}

// join reduces the accumulators to one value: always in the same order.
func (s sums) join(f func(a, b reg.VecVirtual) reg.VecVirtual) reg.VecVirtual {
	for h := len(s) / 2; h > 0; h /= 2 {
		for i := range h {
			VMOVAPS(f(s[i], s[i+h]), s[i])
		}
	}
	a, t := s[0], YMM()
	VPERM2F128(Imm(1), a, a, t) // halves exchanged
	VMOVAPS(f(a, t), a)
	t = YMM()
	VPERMILPS(Imm(0x4e), a, t) // pairs
	VMOVAPS(f(a, t), a)
	t = YMM()
	VPERMILPS(Imm(0xb1), a, t) // neighbours
	return f(a, t)
}

func add(a, b reg.VecVirtual) reg.VecVirtual { r := YMM(); VADDPS(b, a, r); return r }

// give returns the first element and ends the function.
func give(r reg.VecVirtual) {
	VMOVSS(r.AsX(), address(ReturnIndex(0)))
	end()
}

// only sets elements outside the mask to a constant.
func (l *loop) only(r reg.VecVirtual, other Mem) reg.VecVirtual {
	if l.masked {
		o := spread(other)
		VBLENDVPS(l.mask, r, o, r)
	}
	return r
}

func reductions() {
	l, n := pointers("vecSum", "is the sum of x.", "func(x *float32, n int) float32", "x")
	s := accumulators(bits(0))
	l.run(n, 4, func(i int) { VADDPS(l.load("x"), s[i], s[i]) })
	give(s.join(add))

	l, n = pointers("vecDot", "is the sum of x·y.", "func(x, y *float32, n int) float32", "x", "y")
	s = accumulators(bits(0))
	l.run(n, 4, func(i int) { VFMADD231PS(l.load("x"), l.load("y"), s[i]) })
	give(s.join(add))

	l, n = pointers("vecSquares", "is the sum of (x − s)².", "func(x *float32, s float32, n int) float32", "x")
	mean := scalar("s")
	s = accumulators(bits(0))
	l.run(n, 4, func(i int) {
		x := l.load("x")
		VSUBPS(mean, x, x)
		if l.masked {
			VANDPS(l.mask, x, x)
		}
		VFMADD231PS(x, x, s[i])
	})
	give(s.join(add))

	for _, r := range []struct {
		name  string
		first uint32
		f     func(a, b reg.VecVirtual) reg.VecVirtual
	}{{"Maximum", 0xff800000, maximum}, {"Minimum", 0x7f800000, minimum}} {
		l, n := pointers("vec"+r.name, "is the "+r.name+" of x.", "func(x *float32, n int) float32", "x")
		s := accumulators(bits(r.first))
		l.run(n, 4, func(i int) {
			VMOVAPS(r.f(s[i], l.only(l.load("x"), bits(r.first))), s[i])
		})
		give(s.join(r.f))
	}

	l, n = pointers("vecExpSum", "computes dst = exp(x − s) and gives the sum.", "func(dst, x *float32, s float32, n int) float32", "dst", "x")
	top := scalar("s")
	total := spread(bits(0))
	l.run(n, 1, func(int) {
		x := l.load("x")
		VSUBPS(top, x, x)
		e := exponential(x)
		l.store(e, "dst")
		if l.masked {
			VANDPS(l.mask, e, e)
		}
		VADDPS(e, total, total)
	})
	give(sums{total}.join(add))
}

// rows writes the parts of LayerNorm and the optimizer's step.
func rows() {
	l, n := pointers("vecNormalise", "computes dst = (x − mean)·rstd·gamma + beta.",
		"func(dst, x, gamma, beta *float32, mean, rstd float32, n int)", "dst", "x", "gamma", "beta")
	mean, rstd := scalar("mean"), scalar("rstd")
	l.run(n, 2, func(int) {
		x := l.load("x")
		VSUBPS(mean, x, x)
		VMULPS(rstd, x, x)
		b := l.load("beta")
		VFMADD231PS(l.load("gamma"), x, b)
		l.store(b, "dst")
	})
	end()
}

// transposition writes the transpose of eight rows.
func transposition() {
	TEXT("vecTranspose8", NOSPLIT, "func(dst, src *float32, dstStride, srcStride, blocks int)")
	Doc("vecTranspose8 transposes 8 rows of 8·blocks columns; strides in bytes.")
	Pragma("noescape")
	dst, src, ds, ss, blocks := GP64(), GP64(), GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("dstStride"), ds)
	Load(Param("srcStride"), ss)
	Load(Param("blocks"), blocks)
	// at addresses row i by pointers to rows 0, 3 and 6.
	at := func(rows [3]reg.GPVirtual, stride reg.GPVirtual, i int) Mem {
		m := Mem{Base: rows[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = stride, uint8(i%3)
		}
		return m
	}
	froms, tos := [3]reg.GPVirtual{src, GP64(), GP64()}, [3]reg.GPVirtual{dst, GP64(), GP64()}
	Label("block")
	for i := 1; i < 3; i++ {
		LEAQ(Mem{Base: froms[i-1], Index: ss, Scale: 2}, froms[i])
		ADDQ(ss, froms[i])
		LEAQ(Mem{Base: tos[i-1], Index: ds, Scale: 2}, tos[i])
		ADDQ(ds, tos[i])
	}
	x := make([]reg.VecVirtual, 8)
	for i := range x {
		x[i] = YMM()
		VMOVUPS(at(froms, ss, i), x[i])
	}
	y := make([]reg.VecVirtual, 8)
	for i := 0; i < 8; i += 2 { // pairs of rows, interleaved
		y[i], y[i+1] = YMM(), YMM()
		VUNPCKLPS(x[i+1], x[i], y[i])
		VUNPCKHPS(x[i+1], x[i], y[i+1])
	}
	z := make([]reg.VecVirtual, 8)
	for i := 0; i < 8; i += 4 { // fours
		for j := range 2 {
			z[i+2*j], z[i+2*j+1] = YMM(), YMM()
			VSHUFPS(Imm(0x44), y[i+2+j], y[i+j], z[i+2*j])
			VSHUFPS(Imm(0xee), y[i+2+j], y[i+j], z[i+2*j+1])
		}
	}
	for i := range 8 { // halves
		r := YMM()
		if i < 4 {
			VPERM2F128(Imm(0x20), z[i+4], z[i], r)
		} else {
			VPERM2F128(Imm(0x31), z[i], z[i-4], r)
		}
		VMOVUPS(r, at(tos, ds, i))
	}
	ADDQ(Imm(32), src)
	LEAQ(Mem{Base: dst, Index: ds, Scale: 8}, dst)
	DECQ(blocks)
	JNE(LabelRef("block"))
	end()
}
