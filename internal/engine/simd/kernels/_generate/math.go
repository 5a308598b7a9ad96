package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The polynomials are near-minimax: Chebyshev fits in 40 digits (mpmath's chebyfit) of the function
// named beside each, with the stated error before rounding.
var (
	// (eʳ − 1 − r)/r² on |r| ≤ ln2/2, 1.5e-9.
	expTerms = []float64{0.5000000014, 0.1666666668, 0.04166645681, 0.008333310024, 0.001393454193, 0.0001989198131}
	// (ln(1+f) − f + f²/2)/f³ on √½−1 … √2−1, 2.9e-8.
	logTerms = []float64{0.3333333118, -0.2499999696, 0.2000071575, -0.1666780232, 0.1424905765, -0.1242568733, 0.1168541992, -0.1147973385, 0.06971611471}
	// (tanh(x)/x − 1)/x² as a function of x² on 0 … 0.4, 1.8e-9.
	tanhTerms = []float64{-0.3333333315, 0.1333330015, -0.05395846163, 0.02176250291, -0.008323187058, 0.002269501684}
	// erf(x)/x as a function of x² on 0 … 1, 1.2e-9.
	erfTerms = []float64{1.128379166, -0.3761262667, 0.1128359472, -0.02685421201, 0.005189087423, -0.0008016864287, 7.875875063e-5}
	// eᶻ²·erfc(z)/t as a function of t = 1/(1+0.35z) on 0 … 1, 2.5e-8.
	erfcTerms = []float64{0.1974663288, 0.1974714565, 0.1851993228, 0.1634746734, 0.111403009, 0.1500473983, -0.1019736727, 0.2362497423, -0.1819382064, 0.04259996218}
)

var (
	// (Φ(x) − ½)/x as a quotient in x² on |x| ≤ 5.5: weighted least squares at Chebyshev points, with
	// weights moved towards the worst ones (Lawson); Φ is right to 7e-9 before rounding.
	normalOver  = []float64{0.3989422353, 0.03384648218, 0.0046768573, 0.0001687593633, 6.351350694e-6, 2.27523538e-8}
	normalUnder = []float64{1, 0.2515064749, 0.02864227592, 0.001884072754, 7.362454857e-5, 1.197533952e-6}
)

var (
	// (GELU'(x) − ½)/x likewise, on |x| ≤ 5.9; the slope is right to 1.2e-7 before rounding.
	slopeOver  = []float64{0.7978853611, -0.03099573796, 0.01423029814, 1.922285511e-5, 3.59559274e-5, 1.929286356e-7}
	slopeUnder = []float64{1, 0.2944941866, 0.04098025242, 0.003523038655, 0.0001920372268, 8.952399879e-6}
)

// slopeEnd is from where on the slope of GELU is 1, and below its negative 0, within 1.2e-7.
const slopeEnd = 5.9

// normalEnd is where Φ(−x) is too small to matter beside the rounding of ½.
const normalEnd = 5.5

const erfcSlope = 0.35

// polynomial evaluates by Horner's rule.
func polynomial(x reg.VecVirtual, terms []float64) reg.VecVirtual {
	r := spread(value(terms[len(terms)-1]))
	for i := len(terms) - 2; i >= 0; i-- {
		VFMADD213PS(value(terms[i]), x, r)
	}
	return r
}

func copied(x reg.VecVirtual) reg.VecVirtual {
	r := YMM()
	VMOVAPS(x, r)
	return r
}

func reciprocal(x reg.VecVirtual) reg.VecVirtual {
	r := spread(value(1))
	VDIVPS(x, r, r)
	return r
}

// exponential is eˣ = 2ⁿ·eʳ with x = n·ln2 + r. 2ⁿ is multiplied in two halves, so that results
// fade into the denormal range and rise to infinity as they should. NaN stays.
func exponential(x reg.VecVirtual) reg.VecVirtual {
	r, n, a, b := YMM(), YMM(), YMM(), YMM()
	VMOVUPS(value(-104), r)
	VMAXPS(x, r, r) // the second operand of the instruction, x, wins if it is NaN
	VMOVUPS(value(89), n)
	VMINPS(r, n, r)
	VMULPS(value(math.Log2E), r, n)
	VROUNDPS(Imm(8), n, n) // to nearest
	VFNMADD231PS(value(0.693359375), n, r)
	VFNMADD231PS(value(-2.12194440054690583e-4), n, r) // ln2 in two parts, the first short enough to be exact
	p := polynomial(r, expTerms)
	VMULPS(r, r, a)
	VFMADD213PS(r, a, p)
	VADDPS(value(1), p, p)
	VCVTPS2DQ(n, n)
	VPSRAD(Imm(1), n, a)
	VPSUBD(a, n, b)
	for _, h := range []reg.VecVirtual{a, b} {
		VPADDD(bits(127), h, h)
		VPSLLD(Imm(23), h, h)
		VMULPS(h, p, p)
	}
	return p
}

// logarithm is ln x = e·ln2 + ln(1+f), 1+f between √½ and √2.
func logarithm(x reg.VecVirtual) reg.VecVirtual {
	small, big, m, e, t := YMM(), YMM(), YMM(), YMM(), YMM()
	// Denormals: multiply by 2²³ and take 23 off the exponent.
	VMOVUPS(bits(0x00800000), small) // the smallest normal number
	VCMPPS(Imm(1), small, x, small)  // x < small
	VMULPS(value(1<<23), x, big)
	VBLENDVPS(small, big, x, m)
	VANDPS(value(23), small, t)
	// m = 2ᵉ·(1+f): move the cut from 1 to √½ by arithmetic on the bits.
	VPSUBD(bits(0x3f3504f3), m, e)
	VPSRAD(Imm(23), e, e)
	f := YMM()
	VPSLLD(Imm(23), e, f)
	VPSUBD(f, m, f)
	VCVTDQ2PS(e, e)
	VSUBPS(t, e, e)
	VSUBPS(value(1), f, f)
	p := polynomial(f, logTerms)
	s := YMM()
	VMULPS(f, f, s)
	VMULPS(f, p, p)
	VMULPS(s, p, p) // f³P(f)
	VFMADD231PS(value(-2.12194440054690583e-4), e, p)
	VFNMADD231PS(value(0.5), s, p)
	VADDPS(f, p, p)
	VFMADD231PS(value(0.693359375), e, p)
	// The ends: ln 0 = -Inf, of less than 0 and NaN = NaN, of +Inf = +Inf.
	zero, edge := YMM(), YMM()
	VXORPS(zero, zero, zero)
	VCMPPS(Imm(0), zero, x, edge)
	VBLENDVPS(edge, bits(0xff800000), p, p)
	VCMPPS(Imm(0), bits(0x7f800000), x, edge)
	VBLENDVPS(edge, bits(0x7f800000), p, p)
	VCMPPS(Imm(0x19), zero, x, edge) // not (x ≥ 0), true for NaN
	VBLENDVPS(edge, bits(0x7fc00000), p, p)
	return p
}

func sigmoid(x reg.VecVirtual) reg.VecVirtual {
	VXORPS(bits(1<<31), x, x)
	e := exponential(x)
	VADDPS(value(1), e, e)
	return reciprocal(e)
}

// tanh is a polynomial below 0.6, else 1 − 2/(e²ˣ+1) with x's sign.
func tanh(x reg.VecVirtual) reg.VecVirtual {
	a, u, near := YMM(), YMM(), YMM()
	VANDPS(bits(1<<31-1), x, a)
	VMULPS(x, x, u)
	p := polynomial(u, tanhTerms)
	VMULPS(u, p, p)
	VFMADD213PS(x, x, p) // x·p + x
	VCMPPS(Imm(1), value(0.6), a, near)
	VADDPS(a, a, a)
	e := exponential(a)
	VADDPS(value(1), e, e)
	t := spread(value(2))
	VDIVPS(e, t, e)
	VMOVUPS(value(1), t)
	VSUBPS(e, t, t)
	sign := YMM()
	VANDPS(bits(1<<31), x, sign)
	VORPS(sign, t, t)
	VBLENDVPS(near, p, t, t)
	return t
}

// scaled is eᶻ²·erfc(z) for z ≥ 0.
func scaled(z reg.VecVirtual) reg.VecVirtual {
	t := spread(value(1))
	VFMADD231PS(value(erfcSlope), z, t)
	t = reciprocal(t)
	p := polynomial(t, erfcTerms)
	VMULPS(t, p, p)
	return p
}

// erf is an odd polynomial up to 1, else 1 − erfc with x's sign.
func erf(x reg.VecVirtual) reg.VecVirtual {
	u, a, near := YMM(), YMM(), YMM()
	VMULPS(x, x, u)
	p := polynomial(u, erfTerms)
	VMULPS(x, p, p)
	VANDPS(bits(1<<31-1), x, a)
	VCMPPS(Imm(1), value(1), a, near)
	r := scaled(a)
	VXORPS(bits(1<<31), u, u)
	e := exponential(u)
	t := spread(value(1))
	VFNMADD231PS(e, r, t)
	sign := YMM()
	VANDPS(bits(1<<31), x, sign)
	VORPS(sign, t, t)
	VBLENDVPS(near, p, t, t)
	return t
}

// clamped is x, at most end in size; NaN stays.
func clamped(x reg.VecVirtual, end float64) reg.VecVirtual {
	c, u := YMM(), YMM()
	VMOVUPS(value(-end), c)
	VMAXPS(x, c, c)
	VMOVUPS(value(end), u)
	VMINPS(c, u, c)
	return c
}

// gelu is x·Φ(x). Below −normalEnd it is 0.
func gelu(x reg.VecVirtual) reg.VecVirtual {
	far, u := YMM(), YMM()
	VMOVUPS(value(-normalEnd), far)
	VCMPPS(Imm(1), far, x, far) // x < −normalEnd, false for NaN
	c := clamped(x, normalEnd)
	VMULPS(c, c, u)
	p, q := polynomial(u, normalOver), polynomial(u, normalUnder)
	VMULPS(c, p, p)
	VDIVPS(q, p, p)
	VADDPS(value(0.5), p, p)
	VANDNPS(p, far, p)
	VMULPS(x, p, p)
	return p
}

// geluSlope is Φ(x) + x·φ(x). Of an infinite x it is NaN, as in Go.
func geluSlope(x reg.VecVirtual) reg.VecVirtual {
	u := YMM()
	c := clamped(x, slopeEnd)
	VMULPS(c, c, u)
	p, q := polynomial(u, slopeOver), polynomial(u, slopeUnder)
	VMULPS(c, p, p)
	VDIVPS(q, p, p)
	VADDPS(value(0.5), p, p)
	VSUBPS(x, x, x) // 0, or NaN
	VADDPS(x, p, p)
	return p
}
