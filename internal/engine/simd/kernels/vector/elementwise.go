// Package vector computes elementwise operations, chains of them (programs), reductions, norms and softmax, and moves
// elements. Read elementwise.go and reduce.go, then program.go and program_run.go.
package vector

import (
	"math"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// BinaryOp is an arithmetic operation on two elements.
type BinaryOp uint8

// The binary operations.
const (
	Add BinaryOp = iota
	Sub
	Mul
	Div
	Max // as Go's max: NaN wins, 0 is greater than -0
	Min // as Go's min
)

// Broadcast says how an operand of rows×cols is stored.
type Broadcast uint8

// The kinds of operands.
const (
	Full   Broadcast = iota // [rows, cols]
	Scalar                  // [1], for every element
	Row                     // [cols], for every row
	Column                  // [rows], for every column
)

// Operand is a slice and how it is broadcast.
type Operand struct {
	Data []float32
	Kind Broadcast
}

// Whole is an operand that has every element.
func Whole(x []float32) Operand { return Operand{Data: x} }

// One is an operand of one value.
func One(x float32) Operand { return Operand{Data: []float32{x}, Kind: Scalar} }

func (o Operand) check(name string, rows, cols int) {
	want := [...]int{rows * cols, 1, cols, rows}[o.Kind]
	work.CheckLen("Binary", name, len(o.Data), want)
}

// at gives row r as either a slice of cols or one value.
func (o Operand) at(r, cols int) (row []float32, one float32) {
	switch o.Kind {
	case Full:
		return o.Data[r*cols:][:cols], 0
	case Row:
		return o.Data[:cols], 0
	case Column:
		return nil, o.Data[r]
	}
	return nil, o.Data[0]
}

// Binary computes dst[r,c] = a[r,c] op b[r,c], exactly as Go does.
func Binary(p *work.Pool, op BinaryOp, dst []float32, a, b Operand, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	work.CheckLen("Binary", "dst", len(dst), rows*cols)
	a.check("a", rows, cols)
	b.check("b", rows, cols)
	flat := func(k Broadcast) bool { return k == Full || k == Scalar }
	if flat(a.Kind) && flat(b.Kind) { // one long row, split anywhere
		n := rows * cols
		p.For(n, 8192, func(lo, hi int) {
			x, s := a.at(0, n)
			y, t := b.at(0, n)
			BinaryRow(op, dst[lo:hi], part(x, lo, hi), part(y, lo, hi), s, t)
		})
		return
	}
	if f := shortRow / cols; f > 1 && rows > f && a.Kind != Column && b.Kind != Column {
		binaryRepeated(p, op, dst, a, b, rows, cols, f)
		return
	}
	p.For(rows, max(1, 8192/cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, s := a.at(r, cols)
			y, t := b.at(r, cols)
			BinaryRow(op, dst[r*cols:][:cols], x, y, s, t)
		}
	})
}

// shortRow is the length below which rows are taken several at a time.
const shortRow = 256

// binaryRepeated takes f rows as one: a row operand is repeated f times first.
func binaryRepeated(p *work.Pool, op BinaryOp, dst []float32, a, b Operand, rows, cols, f int) {
	buf := work.Scratch(2 * f * cols)
	defer buf.Release()
	repeat := func(o Operand, to []float32) Operand {
		if o.Kind == Row {
			for i := range f {
				copy(to[i*cols:][:cols], o.Data)
			}
			o.Data = to
		}
		return o
	}
	wide := f * cols
	a, b = repeat(a, buf.Data[:wide]), repeat(b, buf.Data[wide:])
	n := rows * cols
	p.For((rows+f-1)/f, 8192/wide, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			from := r * wide
			to := min(n, from+wide)
			slice := func(o Operand) ([]float32, float32) {
				switch o.Kind {
				case Full:
					return o.Data[from:to], 0
				case Row:
					return o.Data[:to-from], 0
				}
				return nil, o.Data[0]
			}
			x, s := slice(a)
			y, t := slice(b)
			BinaryRow(op, dst[from:to], x, y, s, t)
		}
	})
}

func part(x []float32, lo, hi int) []float32 {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

// BinaryRow handles one row; a nil slice stands for the single value beside it.
func BinaryRow(op BinaryOp, dst, x, y []float32, s, t float32) {
	n := len(dst)
	if n == 0 {
		return
	}
	if level.Current() == level.Off || x == nil && y == nil {
		plainBinary(op, dst, x, y, s, t)
		return
	}
	switch {
	case y == nil:
		x = x[:n]
		vectorScalar(op, &dst[0], &x[0], t, n)
	case x == nil:
		y = y[:n]
		switch op {
		case Sub:
			vecScalarSub(&dst[0], &y[0], s, n)
		case Div:
			vecScalarDiv(&dst[0], &y[0], s, n)
		default: // the rest commute
			vectorScalar(op, &dst[0], &y[0], s, n)
		}
	default:
		x, y = x[:n], y[:n]
		switch op {
		case Add:
			vecAdd(&dst[0], &x[0], &y[0], n)
		case Sub:
			vecSub(&dst[0], &x[0], &y[0], n)
		case Mul:
			vecMul(&dst[0], &x[0], &y[0], n)
		case Div:
			vecDiv(&dst[0], &x[0], &y[0], n)
		case Max:
			vecMax(&dst[0], &x[0], &y[0], n)
		default:
			vecMin(&dst[0], &x[0], &y[0], n)
		}
	}
}

func vectorScalar(op BinaryOp, dst, x *float32, s float32, n int) {
	switch op {
	case Add:
		vecAddScalar(dst, x, s, n)
	case Sub:
		vecSubScalar(dst, x, s, n)
	case Mul:
		vecMulScalar(dst, x, s, n)
	case Div:
		vecDivScalar(dst, x, s, n)
	case Max:
		vecMaxScalar(dst, x, s, n)
	default:
		vecMinScalar(dst, x, s, n)
	}
}

func plainBinary(op BinaryOp, dst, x, y []float32, s, t float32) {
	for i := range dst {
		if x != nil {
			s = x[i]
		}
		if y != nil {
			t = y[i]
		}
		switch op {
		case Add:
			dst[i] = s + t
		case Sub:
			dst[i] = s - t
		case Mul:
			dst[i] = s * t
		case Div:
			dst[i] = s / t
		case Max:
			dst[i] = max(s, t)
		default:
			dst[i] = min(s, t)
		}
	}
}

// UnaryOp is a function of one element.
type UnaryOp uint8

// The unary operations. Bounds of the vector forms against the exact value, tested:
// Neg, Abs, Sqrt, Square, Reciprocal, Relu exact as Go's; Exp 2 ulp (results below 2⁻¹²⁶ may be 0);
// Log 2 ulp; Tanh and Erf 4e-7 relative; Sigmoid 4e-7 relative; Gelu and Quick 1e-6·max(|x|,1)
// absolute. The plain forms go through float64.
const (
	Neg        UnaryOp = iota
	Abs                // |x|
	Sqrt               // √x
	Square             // x·x
	Reciprocal         // 1/x
	Rsqrt              // 1/√x
	Exp                // eˣ
	Log                // ln x
	Tanh               // tanh x
	Sigmoid            // 1/(1+e⁻ˣ)
	Erf                // erf x
	Gelu               // x·Φ(x)
	Quick              // x·sigmoid(1.702·x)
	Relu               // max(x, 0)
)

// Unary computes dst[i] = op(x[i]) for every element of x. dst may be x.
func Unary(p *work.Pool, op UnaryOp, dst, x []float32) {
	work.CheckLen("Unary", "dst", len(dst), len(x))
	p.For(len(x), 4096, func(lo, hi int) { UnaryRow(op, dst[lo:hi], x[lo:hi]) })
}

func UnaryRow(op UnaryOp, dst, x []float32) {
	n := len(x)
	if n == 0 {
		return
	}
	if level.Current() == level.Off {
		plainUnary(op, dst, x)
		return
	}
	d, p := &dst[:n][0], &x[0]
	switch op {
	case Neg:
		vecNeg(d, p, n)
	case Abs:
		vecAbs(d, p, n)
	case Sqrt:
		vecSqrt(d, p, n)
	case Square:
		vecSquare(d, p, n)
	case Reciprocal:
		vecReciprocal(d, p, n)
	case Rsqrt:
		vecRsqrt(d, p, n)
	case Exp:
		vecExp(d, p, n)
	case Log:
		vecLog(d, p, n)
	case Tanh:
		vecTanh(d, p, n)
	case Sigmoid:
		vecSigmoid(d, p, n)
	case Erf:
		vecErf(d, p, n)
	case Gelu:
		if level.Current() >= level.AVX512 {
			wideGelu(d, p, n)
		} else {
			vecGelu(d, p, n)
		}
	case Quick:
		vecQuick(d, p, n)
	case Relu:
		vecRelu(d, p, n)
	}
}

func plainUnary(op UnaryOp, dst, x []float32) {
	f := plainFunctions[op]
	for i, v := range x {
		dst[i] = f(v)
	}
}

// plainFunctions are the definitions of the unary operations, by UnaryOp.
var plainFunctions = [...]func(float32) float32{
	Neg:        func(x float32) float32 { return -x },
	Abs:        func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) },
	Sqrt:       func(x float32) float32 { return float32(math.Sqrt(float64(x))) },
	Square:     func(x float32) float32 { return x * x },
	Reciprocal: func(x float32) float32 { return 1 / x },
	Rsqrt:      func(x float32) float32 { return float32(1 / math.Sqrt(float64(x))) },
	Exp:        func(x float32) float32 { return float32(math.Exp(float64(x))) },
	Log:        func(x float32) float32 { return float32(math.Log(float64(x))) },
	Tanh:       func(x float32) float32 { return float32(math.Tanh(float64(x))) },
	Sigmoid:    func(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) },
	Erf:        func(x float32) float32 { return float32(math.Erf(float64(x))) },
	Gelu:       PlainGELU,
	Quick:      PlainQuickGELU,
	Relu:       func(x float32) float32 { return max(x, 0) },
}

// ActivationGrad computes dx = dy·act'(x) for GELU, QuickGELU and ReLU (whose slope at 0 is 0), and
// copies for NoActivation. dx may be x or dy. Bound: 1e-6·max(|x|,1)·|dy|.
func ActivationGrad(p *work.Pool, act Activation, dx, x, dy []float32) {
	work.CheckLen("ActivationGrad", "dx", len(dx), len(x))
	work.CheckLen("ActivationGrad", "dy", len(dy), len(x))
	p.For(len(x), 4096, func(lo, hi int) { activationGrad(act, dx[lo:hi], x[lo:hi], dy[lo:hi]) })
}

func activationGrad(act Activation, dx, x, dy []float32) {
	n := len(x)
	if n == 0 {
		return
	}
	if level.Current() == level.Off || act == NoActivation {
		plainActivationGrad(act, dx, x, dy)
		return
	}
	d, p, g := &dx[:n][0], &x[0], &dy[:n][0]
	switch act {
	case GELU:
		vecGeluGrad(d, p, g, n)
	case QuickGELU:
		vecQuickGrad(d, p, g, n)
	case ReLU:
		vecReluGrad(d, p, g, n)
	}
}

func plainActivationGrad(act Activation, dx, x, dy []float32) {
	for i, v := range x {
		g, v64 := dy[i], float64(v)
		switch act {
		case GELU:
			slope := 0.5*math.Erfc(-v64/math.Sqrt2) + v64*math.Exp(-0.5*v64*v64)/math.Sqrt(2*math.Pi)
			g *= float32(slope)
		case QuickGELU:
			s := 1 / (1 + math.Exp(-1.702*v64))
			g *= float32(s + 1.702*v64*s*(1-s))
		case ReLU:
			if !(v > 0) {
				g = 0
			}
		}
		dx[i] = g
	}
}
