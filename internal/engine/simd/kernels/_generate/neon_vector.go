package main

import "fmt"

// lanes is a function over n elements that is being written for arm64: four at a time, then one by one in the first
// lane with zeros in the others, so that nothing past the end is touched.
type lanes struct {
	*routine
	at     map[string]general // pointers by parameter
	order  []string
	n      general
	single bool // now one by one
	shift  int  // bytes beyond the pointers, in unrolled code
}

// neonPointers declares the function and loads its pointer parameters and n.
func neonPointers(f *file, name, comment, signature string, ptrs ...string) *lanes {
	l := &lanes{routine: f.function(name, comment, signature), at: map[string]general{}, order: ptrs}
	for _, p := range ptrs {
		l.at[p] = l.word64(p)
	}
	l.n = l.word64("n")
	return l
}

// load gives four elements of a parameter, or one.
func (l *lanes) load(p string) vector {
	x := l.vector()
	l.line(fmt.Sprintf("%s %d(%s), F%%d", l.move(), l.shift, l.at[p]), x)
	return x
}

func (l *lanes) store(x vector, p string) {
	l.line(fmt.Sprintf("%s F%%d, %d(%s)", l.move(), l.shift, l.at[p]), x)
}

func (l *lanes) move() string {
	if l.single {
		return "FMOVS"
	}
	return "FMOVQ"
}

// scalar gives a float parameter in all four places.
func (r *routine) scalar(p string) vector {
	x := r.vector()
	r.line("FMOVS "+r.parameter(p)+", F%d", x)
	return r.op("first", x)
}

// run writes the loop: body for steps fours at a time where there are enough (told which), for fours, and one by one.
func (l *lanes) run(steps int, body func(step int)) {
	bump := func(bytes int) {
		for _, p := range l.order {
			l.linef("ADD $%d, %s", bytes, l.at[p])
		}
	}
	stage := func(elements, steps int) {
		next, again := l.label("next"), l.label("again")
		l.linef("SUBS $%d, %s", elements, l.n)
		l.linef("BLT %s", next)
		l.place(again)
		for s := range steps {
			l.shift = 16 * s
			body(s)
		}
		l.shift = 0
		bump(4 * elements)
		l.linef("SUBS $%d, %s", elements, l.n)
		l.repeat("BGE", again)
		l.place(next)
		l.linef("ADD $%d, %s", elements, l.n)
	}
	if steps > 1 {
		stage(4*steps, steps)
	}
	stage(4, 1)
	l.single = true
	stage(1, 1)
	l.single = false
}

// end closes the function.
func (r *routine) end() { r.linef("RET") }

// neonVectors writes the vector kernels under the names of the amd64 ones.
func neonVectors(f *file) {
	neonBinaries(f)
	neonUnaries(f)
	neonGrads(f)
	neonReductions(f)
	neonRows(f)
	neonTransposition(f)
	neonChoices(f)
}

// neonBinaries writes x op y, x op scalar and, where it differs, scalar op y. The machine's fmax and fmin are Go's
// max and min.
func neonBinaries(f *file) {
	for _, b := range []struct {
		name, op string
		both     bool
	}{{"Add", "add", false}, {"Sub", "sub", true}, {"Mul", "mul", false}, {"Div", "div", true}, {"Max", "max", false}, {"Min", "min", false}} {
		l := neonPointers(f, "vec"+b.name, "computes dst = x "+b.name+" y.", "func(dst, x, y *float32, n int)", "dst", "x", "y")
		l.run(4, func(int) { l.store(l.op(b.op, l.load("x"), l.load("y")), "dst") })
		l.end()
		l = neonPointers(f, "vec"+b.name+"Scalar", "computes dst = x "+b.name+" s.", "func(dst, x *float32, s float32, n int)", "dst", "x")
		s := l.scalar("s")
		l.run(4, func(int) { l.store(l.op(b.op, l.load("x"), s), "dst") })
		l.end()
		if b.both {
			l = neonPointers(f, "vecScalar"+b.name, "computes dst = s "+b.name+" x.", "func(dst, x *float32, s float32, n int)", "dst", "x")
			s := l.scalar("s")
			l.run(4, func(int) { l.store(l.op(b.op, s, l.load("x")), "dst") })
			l.end()
		}
	}
}

func neonUnaries(f *file) {
	for _, u := range []struct {
		name, comment string
		steps         int
		f             func(r *routine, x vector) vector
	}{
		{"Neg", "-x", 4, func(r *routine, x vector) vector { return r.op("neg", x) }},
		{"Abs", "|x|", 4, func(r *routine, x vector) vector { return r.op("abs", x) }},
		{"Sqrt", "√x", 2, func(r *routine, x vector) vector { return r.op("sqrt", x) }},
		{"Square", "x·x", 4, func(r *routine, x vector) vector { return r.mul(x, x) }},
		{"Reciprocal", "1/x", 2, (*routine).reciprocal},
		{"Rsqrt", "1/√x", 2, func(r *routine, x vector) vector { return r.reciprocal(r.op("sqrt", x)) }},
		{"Exp", "eˣ", 2, (*routine).exponential},
		{"Log", "ln x", 1, (*routine).logarithm},
		{"Tanh", "tanh x", 1, (*routine).tanh},
		{"Sigmoid", "1/(1+e⁻ˣ)", 2, (*routine).sigmoid},
		{"Erf", "erf x", 1, (*routine).erf},
		{"Gelu", "x·Φ(x)", 2, (*routine).gelu},
		{"Quick", "x·sigmoid(1.702x)", 2, func(r *routine, x vector) vector {
			return r.mul(x, r.sigmoid(r.mul(x, r.number(1.702))))
		}},
		{"Relu", "max(x, 0)", 4, func(r *routine, x vector) vector { return r.op("max", x, r.number(0)) }},
	} {
		l := neonPointers(f, "vec"+u.name, "computes dst = "+u.comment+".", "func(dst, x *float32, n int)", "dst", "x")
		l.run(u.steps, func(int) { l.store(u.f(l.routine, l.load("x")), "dst") })
		l.end()
	}
}

// neonGrads writes the slopes of the activations times dy.
func neonGrads(f *file) {
	for _, g := range []struct {
		name string
		f    func(r *routine, x vector) vector
	}{
		{"Gelu", (*routine).geluSlope},
		{"Quick", func(r *routine, x vector) vector { // s + z·s·(1−s), z = 1.702x
			z := r.mul(x, r.number(1.702))
			s := r.sigmoid(z)
			t := r.mul(r.sub(r.number(1), s), s)
			r.mla(s, z, t)
			return s
		}},
		{"Relu", func(r *routine, x vector) vector { return r.op("greater", x, r.number(0)) }}, // false for NaN
	} {
		comment := "computes dx = slope(x)·dy."
		if g.name == "Relu" {
			comment = "computes dx = dy where x > 0, else 0."
		}
		l := neonPointers(f, "vec"+g.name+"Grad", comment, "func(dx, x, dy *float32, n int)", "dx", "x", "dy")
		l.run(1, func(int) {
			s := g.f(l.routine, l.load("x"))
			if g.name == "Relu" {
				l.store(l.op("and", s, l.load("dy")), "dx")
				return
			}
			l.store(l.mul(s, l.load("dy")), "dx")
		})
		l.end()
	}
	l := neonPointers(f, "vecSoftmaxGrad", "computes dx = y·(dy − s).", "func(dx, y, dy *float32, s float32, n int)", "dx", "y", "dy")
	s := l.scalar("s")
	l.run(2, func(int) { l.store(l.mul(l.load("y"), l.sub(l.load("dy"), s)), "dx") })
	l.end()
}
