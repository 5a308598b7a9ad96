package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop is a function over n elements that is being written: eight at a time, the rest under a mask,
// so that nothing past the end is touched.
type loop struct {
	name   string
	at     map[string]reg.GPVirtual // pointers by parameter
	index  reg.GPVirtual            // bytes from the pointers
	mask   reg.VecVirtual
	masked bool
	shift  int // bytes beyond index, in unrolled code
}

func (l *loop) mem(p string) Mem { return Mem{Base: l.at[p], Index: l.index, Scale: 1, Disp: l.shift} }

// load gives eight elements of a parameter; past the end zeros.
func (l *loop) load(p string) reg.VecVirtual {
	r := YMM()
	if l.masked {
		VMASKMOVPS(l.mem(p), l.mask, r)
	} else {
		VMOVUPS(l.mem(p), r)
	}
	return r
}

func (l *loop) store(r reg.VecVirtual, p string) {
	if l.masked {
		VMASKMOVPS(r, l.mask, l.mem(p))
	} else {
		VMOVUPS(r, l.mem(p))
	}
}

// pointers declares the function and loads its pointer parameters and n.
func pointers(name, comment, signature string, ptrs ...string) (*loop, reg.GPVirtual) {
	TEXT(name, NOSPLIT, signature)
	Doc(name + " " + comment)
	Pragma("noescape")
	l := &loop{name: name, at: map[string]reg.GPVirtual{}}
	for _, p := range ptrs {
		r := GP64()
		Load(Param(p), r)
		l.at[p] = r
	}
	n := GP64()
	Load(Param("n"), n)
	l.index = GP64()
	XORQ(l.index, l.index)
	return l, n
}

// run writes the loop: body for eight elements (steps of them at a time where there are enough,
// told which), and once more under the mask.
func (l *loop) run(n reg.GPVirtual, steps int, body func(step int)) {
	size := int32(8 * steps)
	id := func(s string) string { return l.name + "_" + s + fmt.Sprint(serial) }
	defer func() { serial++ }()
	if steps > 1 {
		SUBQ(U32(uint32(size)), n)
		JL(LabelRef(id("few")))
		Label(id("many"))
		for s := range steps {
			l.shift = 32 * s
			body(s)
		}
		l.shift = 0
		ADDQ(U32(uint32(4*size)), l.index)
		SUBQ(U32(uint32(size)), n)
		JGE(LabelRef(id("many")))
		Label(id("few"))
		ADDQ(U32(uint32(size)), n)
	}
	SUBQ(Imm(8), n)
	JL(LabelRef(id("rest")))
	Label(id("eight"))
	body(0)
	ADDQ(Imm(32), l.index)
	SUBQ(Imm(8), n)
	JGE(LabelRef(id("eight")))
	Label(id("rest"))
	ADDQ(Imm(8), n)
	JE(LabelRef(id("done")))
	// masks is eight words of ones and eight of zeros: start so that n ones come first.
	table := GP64()
	LEAQ(masks(), table)
	NEGQ(n)
	l.mask = YMM()
	VMOVUPS(Mem{Base: table, Index: n, Scale: 4, Disp: 32}, l.mask)
	l.masked = true
	body(0)
	l.masked = false
	Label(id("done"))
}

var (
	serial    int
	maskTable *Mem
	constants = map[uint32]Mem{}
)

func masks() Mem {
	if maskTable == nil {
		m := GLOBL("masks", RODATA|NOPTR)
		for i := range 16 {
			v := uint32(0xffffffff)
			if i >= 8 {
				v = 0
			}
			DATA(4*i, U32(v))
		}
		maskTable = &m
	}
	return *maskTable
}

// bits is a constant of eight equal words in memory.
func bits(v uint32) Mem {
	m, ok := constants[v]
	if !ok {
		m = GLOBL(fmt.Sprintf("word_%08x", v), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(v))
		}
		constants[v] = m
	}
	return m
}

func value(v float64) Mem { return bits(math.Float32bits(float32(v))) }

func spread(m Mem) reg.VecVirtual {
	r := YMM()
	VMOVUPS(m, r)
	return r
}

// address is where a parameter or result lies on the stack. VEX instructions read and write it:
// older ones beside used upper halves cost dearly on some CPUs.
func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// scalar gives a float parameter in all eight places.
func scalar(p string) reg.VecVirtual {
	r := YMM()
	VBROADCASTSS(address(Param(p)), r)
	return r
}

func end() {
	VZEROUPPER()
	RET()
}

func vectors() {
	binaries()
	unaries()
	grads()
	reductions()
	rows()
	transposition()
	choices()
}

// binaries writes x op y, x op scalar and, where it differs, scalar op y.
func binaries() {
	for _, b := range []struct {
		name string
		both bool
		f    func(a, b reg.VecVirtual) reg.VecVirtual
	}{
		{"Add", false, func(a, b reg.VecVirtual) reg.VecVirtual { VADDPS(b, a, a); return a }},
		{"Sub", true, func(a, b reg.VecVirtual) reg.VecVirtual { r := YMM(); VSUBPS(b, a, r); return r }},
		{"Mul", false, func(a, b reg.VecVirtual) reg.VecVirtual { VMULPS(b, a, a); return a }},
		{"Div", true, func(a, b reg.VecVirtual) reg.VecVirtual { r := YMM(); VDIVPS(b, a, r); return r }},
		{"Max", false, maximum},
		{"Min", false, minimum},
	} {
		l, n := pointers("vec"+b.name, "computes dst = x "+b.name+" y.", "func(dst, x, y *float32, n int)", "dst", "x", "y")
		l.run(n, 4, func(int) { l.store(b.f(l.load("x"), l.load("y")), "dst") })
		end()
		l, n = pointers("vec"+b.name+"Scalar", "computes dst = x "+b.name+" s.", "func(dst, x *float32, s float32, n int)", "dst", "x")
		s := scalar("s")
		l.run(n, 4, func(int) { l.store(b.f(l.load("x"), s), "dst") })
		end()
		if b.both {
			l, n = pointers("vecScalar"+b.name, "computes dst = s "+b.name+" x.", "func(dst, x *float32, s float32, n int)", "dst", "x")
			s := scalar("s")
			l.run(n, 4, func(int) { l.store(b.f(s, l.load("x")), "dst") })
			end()
		}
	}
}

// maximum is Go's max: both orders of the instruction, joined so that 0 beats -0 and NaN beats all.
func maximum(a, b reg.VecVirtual) reg.VecVirtual {
	u, v, w := YMM(), YMM(), YMM()
	VCMPPS(Imm(3), a, b, w) // unordered: all ones, a NaN
	VMAXPS(a, b, u)
	VMAXPS(b, a, v)
	VANDPS(u, v, u)
	VORPS(w, u, u)
	return u
}

// minimum is Go's min. The union of a NaN and anything is a NaN.
func minimum(a, b reg.VecVirtual) reg.VecVirtual {
	u, v := YMM(), YMM()
	VMINPS(a, b, u)
	VMINPS(b, a, v)
	VORPS(u, v, u)
	return u
}

func unaries() {
	for _, u := range []struct {
		name, comment string
		steps         int
		f             func(x reg.VecVirtual) reg.VecVirtual
	}{
		{"Neg", "-x", 2, func(x reg.VecVirtual) reg.VecVirtual { VXORPS(bits(1<<31), x, x); return x }},
		{"Abs", "|x|", 2, func(x reg.VecVirtual) reg.VecVirtual { VANDPS(bits(1<<31-1), x, x); return x }},
		{"Sqrt", "√x", 2, func(x reg.VecVirtual) reg.VecVirtual { VSQRTPS(x, x); return x }},
		{"Square", "x·x", 2, func(x reg.VecVirtual) reg.VecVirtual { VMULPS(x, x, x); return x }},
		{"Reciprocal", "1/x", 2, reciprocal},
		{"Rsqrt", "1/√x", 2, func(x reg.VecVirtual) reg.VecVirtual { VSQRTPS(x, x); return reciprocal(x) }},
		{"Exp", "eˣ", 1, exponential},
		{"Log", "ln x", 1, logarithm},
		{"Tanh", "tanh x", 1, tanh},
		{"Sigmoid", "1/(1+e⁻ˣ)", 1, sigmoid},
		{"Erf", "erf x", 1, erf},
		{"Gelu", "x·Φ(x)", 1, gelu},
		{"Quick", "x·sigmoid(1.702x)", 1, func(x reg.VecVirtual) reg.VecVirtual {
			s := YMM()
			VMULPS(value(1.702), x, s)
			s = sigmoid(s)
			VMULPS(x, s, s)
			return s
		}},
		{"Relu", "max(x, 0)", 2, func(x reg.VecVirtual) reg.VecVirtual {
			z := YMM()
			VXORPS(z, z, z)
			VMAXPS(x, z, x) // NaN stays
			return x
		}},
	} {
		l, n := pointers("vec"+u.name, "computes dst = "+u.comment+".", "func(dst, x *float32, n int)", "dst", "x")
		l.run(n, u.steps, func(int) { l.store(u.f(l.load("x")), "dst") })
		end()
	}
}

// grads writes the slopes of the activations times dy.
func grads() {
	for _, g := range []struct {
		name string
		f    func(x reg.VecVirtual) reg.VecVirtual
	}{
		{"Gelu", geluSlope},
		{"Quick", func(x reg.VecVirtual) reg.VecVirtual { // s + z·s·(1−s), z = 1.702x
			z := YMM()
			VMULPS(value(1.702), x, z)
			s := sigmoid(copied(z))
			t := YMM()
			VMOVUPS(value(1), t)
			VSUBPS(s, t, t)
			VMULPS(s, t, t)
			VFMADD231PS(z, t, s)
			return s
		}},
	} {
		l, n := pointers("vec"+g.name+"Grad", "computes dx = slope(x)·dy.", "func(dx, x, dy *float32, n int)", "dx", "x", "dy")
		l.run(n, 1, func(int) {
			r := g.f(l.load("x"))
			VMULPS(l.load("dy"), r, r)
			l.store(r, "dx")
		})
		end()
	}
	l, n := pointers("vecReluGrad", "computes dx = dy where x > 0, else 0.", "func(dx, x, dy *float32, n int)", "dx", "x", "dy")
	zero := YMM()
	VXORPS(zero, zero, zero)
	l.run(n, 2, func(int) {
		x := l.load("x")
		VCMPPS(Imm(0x1e), zero, x, x) // greater, false for NaN
		VANDPS(l.load("dy"), x, x)
		l.store(x, "dx")
	})
	end()
	l, n = pointers("vecSoftmaxGrad", "computes dx = y·(dy − s).", "func(dx, y, dy *float32, s float32, n int)", "dx", "y", "dy")
	s := scalar("s")
	l.run(n, 2, func(int) {
		d := l.load("dy")
		VSUBPS(s, d, d)
		VMULPS(l.load("y"), d, d)
		l.store(d, "dx")
	})
	end()
}
