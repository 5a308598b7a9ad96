package main

import "fmt"

// neonSums are accumulators of four lanes.
type neonSums []vector

// accumulators holds the first value in n registers: eight are as many chains of additions as two registers' worth
// of lanes on amd64 have, and enough to hide the latency.
func (r *routine) accumulators(n int, first uint32) neonSums {
	s := make(neonSums, n)
	for i := range s {
		s[i] = r.bits(first)
	}
	return s
}

// join reduces accumulators to the first lane, always in the same order.
func (r *routine) join(s neonSums, op, pair string) vector {
	for h := len(s) / 2; h > 0; h /= 2 {
		for i := range h {
			r.do(op, s[i], s[i], s[i+h])
		}
	}
	x := r.op(pair, s[0], s[0])
	return r.op(pair, x, x)
}

// give returns the first lane.
func (r *routine) give(x vector, result int) {
	r.line("FMOVS F%d, "+r.component(r.signature.Results().At(result)), x)
}

// only sets the lanes that hold no element to zero.
func (l *lanes) only(x vector) vector {
	if !l.single {
		return x
	}
	one := l.vector()
	l.line("FMOVS F%[2]d, F%[1]d", one, x) // clears the rest
	return one
}

func neonReductions(f *file) {
	l := neonPointers(f, "vecSum", "is the sum of x.", "func(x *float32, n int) float32", "x")
	s := l.accumulators(8, 0)
	l.run(8, func(i int) { l.do("add", s[i], s[i], l.load("x")) })
	l.give(l.join(s, "add", "pairAdd"), 0)
	l.end()

	l = neonPointers(f, "vecDot", "is the sum of x·y.", "func(x, y *float32, n int) float32", "x", "y")
	s = l.accumulators(8, 0)
	l.run(8, func(i int) { l.mla(s[i], l.load("x"), l.load("y")) })
	l.give(l.join(s, "add", "pairAdd"), 0)
	l.end()

	l = neonPointers(f, "vecSquares", "is the sum of (x − s)².", "func(x *float32, s float32, n int) float32", "x")
	mean := l.scalar("s")
	s = l.accumulators(8, 0)
	l.run(8, func(i int) {
		x := l.only(l.sub(l.load("x"), mean))
		l.mla(s[i], x, x)
	})
	l.give(l.join(s, "add", "pairAdd"), 0)
	l.end()

	for _, x := range []struct {
		name, op, pair string
		first          uint32
	}{{"Maximum", "max", "pairMax", 0xff800000}, {"Minimum", "min", "pairMin", 0x7f800000}} {
		l := neonPointers(f, "vec"+x.name, "is the "+x.name+" of x.", "func(x *float32, n int) float32", "x")
		s := l.accumulators(4, x.first)
		l.run(4, func(i int) {
			v := l.load("x")
			if l.single {
				v = l.op("first", v) // the same in all lanes
			}
			l.do(x.op, s[i], s[i], v)
		})
		l.give(l.join(s, x.op, x.pair), 0)
		l.end()
	}

	l = neonPointers(f, "vecExpSum", "computes dst = exp(x − s) and gives the sum.", "func(dst, x *float32, s float32, n int) float32", "dst", "x")
	top := l.scalar("s")
	s = l.accumulators(2, 0)
	l.run(2, func(i int) {
		e := l.exponential(l.sub(l.load("x"), top))
		l.store(e, "dst")
		l.do("add", s[i], s[i], l.only(e))
	})
	l.give(l.join(s, "add", "pairAdd"), 0)
	l.end()
}

// neonRows writes the parts of LayerNorm and the optimizer's step.
func neonRows(f *file) {
	l := neonPointers(f, "vecNormalise", "computes dst = (x − mean)·rstd·gamma + beta.",
		"func(dst, x, gamma, beta *float32, mean, rstd float32, n int)", "dst", "x", "gamma", "beta")
	mean, rstd := l.scalar("mean"), l.scalar("rstd")
	l.run(2, func(int) {
		x, b := l.mul(l.sub(l.load("x"), mean), rstd), l.load("beta")
		l.mla(b, x, l.load("gamma"))
		l.store(b, "dst")
	})
	l.end()
}

// neonTransposition writes the transpose of eight rows, in squares of four.
func neonTransposition(f *file) {
	r := f.function("vecTranspose8", "transposes 8 rows of 8·blocks columns; strides in bytes.", "func(dst, src *float32, dstStride, srcStride, blocks int)")
	dst, src, ds, ss, blocks := r.word64("dst"), r.word64("src"), r.word64("dstStride"), r.word64("srcStride"), r.word64("blocks")
	from, to := r.general(), r.general()
	again := r.label("again")
	r.linef("LSL $1, %s", blocks) // of four columns
	r.place(again)
	r.linef("MOVD %s, %s", src, from)
	var x [8]vector
	for i := range x {
		x[i] = r.vector()
		r.line("FMOVQ ("+string(from)+"), F%d", x[i])
		if i < 7 {
			r.linef("ADD %s, %s", ss, from)
		}
	}
	var y [2][4]vector // by half of the rows: the columns
	for h := range y {
		a := x[4*h:]
		one, two := r.op("oddsOne", a[0], a[1]), r.op("oddsOne", a[2], a[3])
		y[h][0], y[h][2] = r.op("halvesOne", one, two), r.op("halvesTwo", one, two)
		one, two = r.op("oddsTwo", a[0], a[1]), r.op("oddsTwo", a[2], a[3])
		y[h][1], y[h][3] = r.op("halvesOne", one, two), r.op("halvesTwo", one, two)
	}
	r.linef("MOVD %s, %s", dst, to)
	for j := range 4 {
		for h := range y {
			r.line(fmt.Sprintf("FMOVQ F%%d, %d(%s)", 16*h, to), y[h][j])
		}
		r.linef("ADD %s, %s", ds, to)
	}
	r.linef("MOVD %s, %s", to, dst)
	r.linef("ADD $16, %s", src)
	r.linef("SUBS $1, %s", blocks)
	r.repeat("BNE", again)
	r.end()
}
