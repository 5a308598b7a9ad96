package main

import "math"

// The functions of math.go for arm64, with the same polynomials.

// polynomial evaluates by Horner's rule.
func (r *routine) polynomial(x vector, terms []float64) vector {
	p := r.number(terms[len(terms)-1])
	for i := len(terms) - 2; i >= 0; i-- {
		c := r.number(terms[i])
		r.mla(c, p, x)
		p = c
	}
	return p
}

func (r *routine) reciprocal(x vector) vector { return r.div(r.number(1), x) }

// exponential is eˣ = 2ⁿ·eʳ with x = n·ln2 + r. 2ⁿ is multiplied in two halves, so that results fade into the
// denormal range and rise to infinity as they should. NaN stays: fmax and fmin hand it on.
func (r *routine) exponential(x vector) vector {
	x = r.op("max", x, r.number(-104))
	x = r.op("min", x, r.number(89))
	n := r.op("nearest", r.mul(x, r.number(math.Log2E)))
	r.mls(x, n, r.number(0.693359375))
	r.mls(x, n, r.number(-2.12194440054690583e-4)) // ln2 in two parts, the first short enough to be exact
	p := r.polynomial(x, expTerms)
	y := r.copied(x)
	r.mla(y, p, r.mul(x, x))
	y = r.add(y, r.number(1))
	whole := r.op("toWords", n)
	half := r.op("half", whole)
	for _, h := range []vector{half, r.op("subWords", whole, half)} {
		h = r.op("intoPlace", r.op("addWords", h, r.bits(127)))
		y = r.mul(y, h)
	}
	return y
}

// logarithm is ln x = e·ln2 + ln(1+f), 1+f between √½ and √2.
func (r *routine) logarithm(x vector) vector {
	// Denormals: multiply by 2²³ and take 23 off the exponent.
	small := r.op("greater", r.bits(0x00800000), x) // the smallest normal number
	t := r.op("and", small, r.number(23))
	m := r.choose(small, r.mul(x, r.number(1<<23)), x)
	// m = 2ᵉ·(1+f): move the cut from 1 to √½ by arithmetic on the bits.
	e := r.op("exponent", r.op("subWords", m, r.bits(0x3f3504f3)))
	f := r.op("subWords", m, r.op("intoPlace", e))
	e = r.sub(r.op("fromWords", e), t)
	f = r.sub(f, r.number(1))
	s := r.mul(f, f)
	p := r.mul(s, r.mul(f, r.polynomial(f, logTerms))) // f³P(f)
	r.mla(p, e, r.number(-2.12194440054690583e-4))
	r.mls(p, s, r.number(0.5))
	p = r.add(p, f)
	r.mla(p, e, r.number(0.693359375))
	// The ends: ln 0 = -Inf, of less than 0 and NaN = NaN, of +Inf = +Inf.
	zero := r.number(0)
	p = r.choose(r.op("equal", x, zero), r.bits(0xff800000), p)
	p = r.choose(r.op("equal", x, r.bits(0x7f800000)), r.bits(0x7f800000), p)
	return r.choose(r.op("notLess", x, zero), p, r.bits(0x7fc00000))
}

func (r *routine) sigmoid(x vector) vector {
	return r.reciprocal(r.add(r.exponential(r.op("neg", x)), r.number(1)))
}

// signed gives x ≥ 0 the sign of another.
func (r *routine) signed(x, of vector) vector {
	return r.op("or", x, r.op("and", of, r.bits(1<<31)))
}

// tanh is a polynomial below 0.6, else 1 − 2/(e²ˣ+1) with x's sign.
func (r *routine) tanh(x vector) vector {
	a, u := r.op("abs", x), r.mul(x, x)
	near := r.copied(x)
	r.mla(near, x, r.mul(u, r.polynomial(u, tanhTerms)))
	e := r.exponential(r.add(a, a))
	far := r.sub(r.number(1), r.div(r.number(2), r.add(e, r.number(1))))
	return r.choose(r.op("greater", r.number(0.6), a), near, r.signed(far, x))
}

// erf is an odd polynomial up to 1, else 1 − erfc with x's sign; erfc(z) is e⁻ᶻ² times a polynomial in 1/(1+0.35z).
func (r *routine) erf(x vector) vector {
	u, a := r.mul(x, x), r.op("abs", x)
	near := r.mul(x, r.polynomial(u, erfTerms))
	t := r.number(1)
	r.mla(t, a, r.number(erfcSlope))
	t = r.reciprocal(t)
	scaled := r.mul(t, r.polynomial(t, erfcTerms))
	far := r.number(1)
	r.mls(far, scaled, r.exponential(r.op("neg", u)))
	return r.choose(r.op("greater", r.number(1), a), near, r.signed(far, x))
}

// clamped is x, at most end in size; NaN stays.
func (r *routine) clamped(x vector, end float64) vector {
	return r.op("min", r.op("max", x, r.number(-end)), r.number(end))
}

// quotient is ½ + c·over(c²)/under(c²).
func (r *routine) quotient(c vector, over, under []float64) vector {
	u := r.mul(c, c)
	p := r.mul(c, r.polynomial(u, over))
	return r.add(r.div(p, r.polynomial(u, under)), r.number(0.5))
}

// gelu is x·Φ(x). Below −normalEnd it is 0.
func (r *routine) gelu(x vector) vector {
	far := r.op("greater", r.number(-normalEnd), x) // false for NaN
	p := r.quotient(r.clamped(x, normalEnd), normalOver, normalUnder)
	return r.mul(x, r.op("andNot", p, far))
}

// geluSlope is Φ(x) + x·φ(x). Of an infinite x it is NaN, as in Go.
func (r *routine) geluSlope(x vector) vector {
	p := r.quotient(r.clamped(x, slopeEnd), slopeOver, slopeUnder)
	return r.add(p, r.sub(x, x)) // 0, or NaN
}
