package simd_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// operand is a value of a random graph on one backend.
type operand struct {
	v     compute.Value
	shape shapes.Shape
	exact bool // both backends give the same bits, so it may be compared
}

// drawing draws a random graph; the same source gives the same graph on every backend.
type drawing struct {
	t     *testing.T
	r     *rand.Rand
	f     compute.Function
	known []operand
}

func (g *drawing) must(v compute.Value, err error) compute.Value {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

func (g *drawing) add(v compute.Value, exact bool) operand {
	s, err := g.f.Shape(v)
	if err != nil {
		g.t.Fatal(err)
	}
	o := operand{v, s, exact}
	g.known = append(g.known, o)
	return o
}

func (g *drawing) dims() []int {
	d := make([]int, 1+g.r.IntN(4))
	size := 1
	for i := range d {
		d[i] = []int{1, 2, 3, 4, 7, 8, 17, 40, 600}[g.r.IntN(9)]
		if size *= d[i]; size > 40000 {
			d[i] = 1
			size = 1
		}
	}
	return d
}

// pick draws a float32 operand of some shape.
func (g *drawing) pick() operand {
	for {
		o := g.known[g.r.IntN(len(g.known))]
		if o.shape.DType == dtypes.Float32 {
			return o
		}
	}
}

// like draws or makes an operand that goes with o: the same shape, a scalar, or with axes of one element.
func (g *drawing) like(o operand) operand {
	for range 8 {
		p := g.pick()
		if p.shape.EqualDimensions(o.shape) || p.shape.Rank() == 0 {
			return p
		}
	}
	d := o.shape.Clone().Dimensions
	for i := range d {
		if g.r.IntN(3) == 0 {
			d[i] = 1
		}
	}
	return g.constant(d)
}

func (g *drawing) constant(d []int) operand {
	x := make([]float32, product(d))
	for i := range x {
		x[i] = float32(g.r.NormFloat64())
	}
	return g.add(g.must(g.f.Constant(x, d...)), true)
}

func product(d []int) int {
	n := 1
	for _, x := range d {
		n *= x
	}
	return n
}

type unary = func(compute.Function, compute.Value) (compute.Value, error)
type binary = func(compute.Function, compute.Value, compute.Value) (compute.Value, error)

// step adds one operation.
func (g *drawing) step() {
	x := g.pick()
	rank := x.shape.Rank()
	d := x.shape.Dimensions
	switch g.r.IntN(16) {
	case 0, 1:
		ops := []unary{compute.Function.Tanh, compute.Function.Exp, compute.Function.Erf, compute.Function.Logistic,
			compute.Function.Abs, compute.Function.Neg, compute.Function.Sqrt, compute.Function.Log}
		i := g.r.IntN(len(ops))
		v := x.v
		if i == 1 { // keep it small
			v = g.must(g.f.Tanh(v))
		}
		g.add(g.must(ops[i](g.f, v)), x.exact && (i == 4 || i == 5))
	case 2, 3, 4:
		y := g.like(x)
		ops := []binary{compute.Function.Add, compute.Function.Sub, compute.Function.Mul, compute.Function.Max, compute.Function.Min}
		a, b := x.v, y.v
		if g.r.IntN(2) == 0 {
			a, b = b, a
		}
		g.add(g.must(ops[g.r.IntN(len(ops))](g.f, a, b)), x.exact && y.exact)
	case 5:
		y := g.like(x)
		if !x.exact || !y.exact {
			return
		}
		ops := []binary{compute.Function.LessThan, compute.Function.GreaterOrEqual, compute.Function.Equal, compute.Function.NotEqual}
		c := g.must(ops[g.r.IntN(len(ops))](g.f, x.v, y.v))
		g.add(g.must(g.f.Where(c, x.v, g.must(g.f.Neg(x.v)))), false)
		g.add(g.must(g.f.ConvertDType(c, dtypes.Float32)), true)
	case 6:
		if x.exact {
			g.add(g.must(g.f.Sign(x.v)), true)
		}
	case 7:
		g.add(g.must(g.f.Transpose(x.v, g.r.Perm(rank)...)), x.exact)
	case 8:
		if rank == 0 {
			return
		}
		start, limit := make([]int, rank), make([]int, rank)
		step := make([]int, rank)
		for i, n := range d {
			start[i] = g.r.IntN(n)
			limit[i] = start[i] + 1 + g.r.IntN(n-start[i])
			step[i] = 1 + g.r.IntN(2)*g.r.IntN(2)
		}
		g.add(g.must(g.f.Slice(x.v, start, limit, step)), x.exact)
	case 9:
		n := product(d)
		for _, a := range []int{3, 2, 8, 4} {
			if n%a == 0 {
				g.add(g.must(g.f.Reshape(x.v, []int{n / a, a}...)), x.exact)
				return
			}
		}
		g.add(g.must(g.f.Reshape(x.v, 1, n, 1)), x.exact)
	case 10:
		if rank > 3 || product(d) > 4000 {
			return
		}
		n := 1 + g.r.IntN(5)
		s := shapes.Make(dtypes.Float32, append([]int{n}, d...)...)
		axes := make([]int, rank)
		for i := range axes {
			axes[i] = i + 1
		}
		g.add(g.must(g.f.BroadcastInDim(x.v, s, axes)), x.exact)
	case 11:
		if rank == 0 {
			return
		}
		var axes []int
		for i := range rank {
			if g.r.IntN(2) == 0 {
				axes = append(axes, i)
			}
		}
		switch g.r.IntN(3) {
		case 0:
			v := x.v
			if x.shape.Size() > 4096 { // the plain backend adds one by one, and loses digits
				return
			}
			if x.shape.Size() > 256 { // no cancellation
				v = g.must(g.f.Abs(v))
			}
			g.add(g.must(g.f.ReduceSum(v, axes...)), false)
		case 1:
			g.add(g.must(g.f.ReduceMax(x.v, axes...)), x.exact)
		default:
			g.add(g.must(g.f.ReduceMin(x.v, axes...)), x.exact)
		}
	case 12:
		g.dot(x)
	case 13:
		if rank == 0 {
			return
		}
		axis := g.r.IntN(rank)
		e := append([]int(nil), d...)
		e[axis] = 1 + g.r.IntN(4)
		y := g.constant(e)
		g.add(g.must(g.f.Concatenate(axis, x.v, y.v, x.v)), x.exact)
	case 14:
		if rank == 0 {
			return
		}
		pads := make([]compute.PadAxis, rank)
		for i := range pads {
			pads[i] = compute.PadAxis{Start: g.r.IntN(2), End: g.r.IntN(3), Interior: g.r.IntN(2) * g.r.IntN(2)}
		}
		g.add(g.must(g.f.Pad(x.v, g.constant(nil).v, pads...)), x.exact)
	default:
		if rank == 0 {
			return
		}
		if g.r.IntN(2) == 0 {
			g.add(g.must(g.f.FusedSoftmax(x.v, g.r.IntN(rank))), false)
			return
		}
		if n := d[rank-1]; n > 2 && n < 100 { // of two near elements the norm is a sign; the plain backend sums one by one
			c := g.constant([]int{d[rank-1]})
			g.add(g.must(g.f.FusedLayerNorm(g.must(g.f.Tanh(x.v)), []int{rank - 1}, 0.5, c.v, nil)), false)
		}
	}
}

// dot contracts some axes of x with a constant that shares some as a batch.
func (g *drawing) dot(x operand) {
	rank := x.shape.Rank()
	if rank == 0 {
		return
	}
	var contract, batch [2][]int
	var e []int
	for i, n := range x.shape.Dimensions {
		switch g.r.IntN(3) {
		case 0:
			contract[0], contract[1] = append(contract[0], i), append(contract[1], len(e))
			e = append(e, n)
		case 1:
			batch[0], batch[1] = append(batch[0], i), append(batch[1], len(e))
			e = append(e, n)
		}
	}
	e = append(e, 1+g.r.IntN(20))
	if product(e) > 20000 || product(x.shape.Dimensions)*e[len(e)-1] > 1<<20 {
		return
	}
	y := g.constant(e)
	small := g.must(g.f.Tanh(x.v))
	g.add(g.must(g.f.DotGeneral(small, contract[0], batch[0], y.v, contract[1], batch[1], compute.DotGeneralConfig{})), false)
}
