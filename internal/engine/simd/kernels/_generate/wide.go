package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wide is a loop as in vector.go over sixteen elements at a time, the rest under a mask. There are
// registers enough to hold every constant, so constants are loaded once, before the loop.
type wide struct {
	name   string
	at     map[string]reg.GPVirtual
	count  reg.GPVirtual // n
	index  reg.GPVirtual // bytes from the pointers
	mask   reg.OpmaskVirtual
	masked bool
	shift  int
	held   map[uint32]reg.VecVirtual
	loops  int  // so far
	inside bool // a loop
}

// wideFunction declares a function and loads its pointers and n.
func wideFunction(name, comment, signature string, ptrs ...string) *wide {
	l, n := pointers(name, comment, signature, ptrs...)
	return &wide{name: name, at: l.at, count: n, index: l.index, held: map[uint32]reg.VecVirtual{}}
}

// word is a constant in all sixteen places, loaded where it is named first.
func (w *wide) word(v uint32) reg.VecVirtual {
	r, ok := w.held[v]
	if !ok {
		if w.inside {
			panic(fmt.Sprintf("%s: constant %08x must be held before the loop", w.name, v))
		}
		r = ZMM()
		VBROADCASTSS(bits(v), r)
		w.held[v] = r
	}
	return r
}

func (w *wide) value(v float64) reg.VecVirtual { return w.word(math.Float32bits(float32(v))) }

// hold loads constants ahead of a loop.
func (w *wide) hold(lists ...[]float64) {
	for _, l := range lists {
		for _, v := range l {
			w.value(v)
		}
	}
}

func (w *wide) scalar(p string) reg.VecVirtual {
	r := ZMM()
	VBROADCASTSS(address(Param(p)), r)
	return r
}

func (w *wide) mem(p string) Mem { return Mem{Base: w.at[p], Index: w.index, Scale: 1, Disp: w.shift} }

// load gives sixteen elements of a parameter; past the end zeros.
func (w *wide) load(p string) reg.VecVirtual {
	r := ZMM()
	if w.masked {
		VMOVUPS_Z(w.mem(p), w.mask, r)
	} else {
		VMOVUPS(w.mem(p), r)
	}
	return r
}

func (w *wide) store(r reg.VecVirtual, p string) {
	if w.masked {
		VMOVUPS(r, w.mask, w.mem(p))
	} else {
		VMOVUPS(r, w.mem(p))
	}
}

// into does acc = op(acc, x), under the mask.
func (w *wide) into(op func(...Op), x, acc reg.VecVirtual) {
	if w.masked {
		op(x, acc, w.mask, acc)
	} else {
		op(x, acc, acc)
	}
}

// run writes a loop over all elements: body for sixteen, steps of them at a time where there are enough.
func (w *wide) run(steps int, body func(step int)) {
	id := func(s string) string { return fmt.Sprintf("%s_%s%d", w.name, s, w.loops) }
	w.loops++
	w.inside = true
	defer func() { w.inside = false }()
	n := GP64()
	MOVQ(w.count, n)
	XORQ(w.index, w.index)
	size := uint32(16 * steps)
	SUBQ(U32(size), n)
	JL(LabelRef(id("few")))
	Label(id("many"))
	for s := range steps {
		w.shift = 64 * s
		body(s)
	}
	w.shift = 0
	ADDQ(U32(4*size), w.index)
	SUBQ(U32(size), n)
	JGE(LabelRef(id("many")))
	Label(id("few"))
	ADDQ(U32(size), n)
	if steps > 1 {
		SUBQ(Imm(16), n)
		JL(LabelRef(id("rest")))
		Label(id("sixteen"))
		body(0)
		ADDQ(Imm(64), w.index)
		SUBQ(Imm(16), n)
		JGE(LabelRef(id("sixteen")))
		Label(id("rest"))
		ADDQ(Imm(16), n)
	}
	TESTQ(n, n)
	JE(LabelRef(id("done")))
	ones := GP64()
	MOVQ(U64(0xffff), ones)
	SHLXQ(n, ones, ones)
	SHRQ(Imm(16), ones) // n ones
	w.mask = K()
	KMOVW(ones.As32(), w.mask)
	w.masked = true
	body(0)
	w.masked = false
	Label(id("done"))
}

// fold reduces accumulators to one value in the lowest place: always in the same order.
func fold(s []reg.VecVirtual, f func(...Op)) reg.VecVirtual {
	for h := len(s) / 2; h > 0; h /= 2 {
		for i := range h {
			f(s[i+h], s[i], s[i])
		}
	}
	a := s[0]
	for _, exchange := range []uint64{0x4e, 0xb1} { // halves, quarters
		t := ZMM()
		VSHUFF32X4(Imm(exchange), a, a, t)
		f(t, a, a)
	}
	for _, exchange := range []uint64{0x4e, 0xb1} { // pairs, neighbours
		t := ZMM()
		VPERMILPS(Imm(exchange), a, t)
		f(t, a, a)
	}
	return a
}

// powerTerms are (2ʳ − 1)/r on |r| ≤ ½, 4e-9 (near-minimax, as those of math.go).
var powerTerms = []float64{0.693147188, 0.2402265076, 0.05550357114, 0.009618082557, 0.001339086336, 0.0001545316295}

// power is 2ˣ for x up to 127: 2ⁿ·2ʳ with r = x − n, which is exact. VSCALEFPS scales and rounds once.
func (w *wide) power(x reg.VecVirtual) reg.VecVirtual {
	n := ZMM()
	VMAXPS(x, w.value(-150), x) // the second operand of the instruction, x, wins if it is NaN
	VRNDSCALEPS(Imm(8), x, n)   // to nearest
	VSUBPS(n, x, x)
	p := w.polynomial(x, powerTerms)
	VFMADD213PS(w.value(1), x, p)
	VSCALEFPS(n, p, p)
	return p
}

func (w *wide) polynomial(x reg.VecVirtual, terms []float64) reg.VecVirtual {
	r := ZMM()
	last := len(terms) - 1
	VMOVAPS(w.value(terms[last]), r)
	for i := last - 1; i >= 0; i-- {
		VFMADD213PS(w.value(terms[i]), x, r)
	}
	return r
}

// wides writes the functions on registers of 512 bits: those that a network spends its time in.
func wides() {
	w := wideFunction("wideMaximum", "is the maximum of x; NaN may count or not.", "func(x *float32, n int) float32", "x")
	s := make([]reg.VecVirtual, 4)
	for i := range s {
		s[i] = ZMM()
		VBROADCASTSS(bits(0xff800000), s[i])
	}
	w.run(4, func(i int) { w.into(VMAXPS, w.load("x"), s[i]) })
	give(fold(s, VMAXPS))

	w = wideFunction("wideExpSum", "computes dst = exp(x − s), x − s up to 88, and gives the sum.",
		"func(dst, x *float32, s float32, n int) float32", "dst", "x")
	// (x − s)·log₂e in one step: what rounding s·log₂e costs is the same factor for the whole row.
	top := w.scalar("s")
	VMULPS(w.value(math.Log2E), top, top)
	w.hold(powerTerms, []float64{-150, 1})
	total := make([]reg.VecVirtual, 2)
	for i := range total {
		total[i] = ZMM()
		VPXORD(total[i], total[i], total[i])
	}
	w.run(2, func(i int) {
		x := w.load("x")
		VFMSUB213PS(top, w.value(math.Log2E), x)
		e := w.power(x)
		w.store(e, "dst")
		w.into(VADDPS, e, total[i])
	})
	give(fold(total, VADDPS))

	w = wideFunction("wideGelu", "computes dst = x·Φ(x).", "func(dst, x *float32, n int)", "dst", "x")
	w.hold(normalOver, normalUnder, []float64{normalEnd, -normalEnd, 0.5})
	w.run(2, func(int) { w.store(w.gelu(w.load("x")), "dst") })
	end()

	widePack()
}

// widePack writes the copy of rows of a panel.
func widePack() {
	const name = "widePack"
	TEXT(name, NOSPLIT, "func(dst, src *float32, stride, rows int)")
	Doc(name + " copies 32 floats of each row, stride bytes apart, to neighbouring rows; it asks for what follows in each.")
	Pragma("noescape")
	dst, src, stride, rows := GP64(), GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("stride"), stride)
	Load(Param("rows"), rows)
	low, high := ZMM(), ZMM()
	Label(name + "_next")
	VMOVUPS(Mem{Base: src}, low)
	VMOVUPS(Mem{Base: src, Disp: 64}, high)
	PREFETCHT0(Mem{Base: src, Disp: 512})
	PREFETCHT0(Mem{Base: src, Disp: 576})
	VMOVUPS(low, Mem{Base: dst})
	VMOVUPS(high, Mem{Base: dst, Disp: 64})
	ADDQ(stride, src)
	ADDQ(Imm(128), dst)
	DECQ(rows)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}

// gelu is that of math.go.
func (w *wide) gelu(x reg.VecVirtual) reg.VecVirtual {
	c, u, near := ZMM(), ZMM(), K()
	VCMPPS(Imm(5), w.value(-normalEnd), x, near) // not x < −normalEnd, true for NaN
	VMAXPS(x, w.value(-normalEnd), c)
	VMINPS(c, w.value(normalEnd), c)
	VMULPS(c, c, u)
	p, q := w.polynomial(u, normalOver), w.polynomial(u, normalUnder)
	VMULPS(c, p, p)
	VDIVPS(q, p, p)
	VADDPS_Z(w.value(0.5), p, near, p)
	VMULPS(x, p, p)
	return p
}
