package vector

import (
	"fmt"
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// specials are the values at which functions have corners.
var specials = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 1e-45, -1e-45, 1e-38, -1e-38, 1.1754944e-38, 3.4e38, -3.4e38,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 88.7, 88.73, 89, 104, -87.3, -87.4, -103.9, -104, -105, 0.6, 0.599, 0.9999999, 1.0000001, 0.70710678, 1.4142135,
}

// tidy reports whether two results are the same for a program: equal, or both NaN. The sign of a zero counts.
func tidy(a, b float32) bool {
	return a != a && b != b || math.Float32bits(a) == math.Float32bits(b)
}

func TestBinary(t *testing.T) {
	r := kerneltest.Generator(21)
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for i := range 200 {
			rows, cols := 1+r.IntN(9), 1+r.IntN(70)
			if i%50 == 0 {
				rows, cols = 300, 67
			}
			op := BinaryOp(i % 6)
			operand := func() Operand {
				k := Broadcast(r.IntN(4))
				x := kerneltest.Draw(r, [...]int{rows * cols, 1, cols, rows}[k])
				for range 1 + len(x)/4 {
					x[r.IntN(len(x))] = specials[r.IntN(len(specials))]
				}
				return Operand{x, k}
			}
			a, b := operand(), operand()
			dst := kerneltest.Draw(r, rows*cols)
			Binary(pool, op, dst, a, b, rows, cols)
			for q, got := range dst {
				at := func(o Operand) float32 {
					return o.Data[[...]int{q, 0, q % cols, q / cols}[o.Kind]]
				}
				want := []float32{0}
				plainBinary(op, want, nil, nil, at(a), at(b))
				if !tidy(got, want[0]) {
					t.Fatalf("op %d of %v and %v is %v, not %v", op, at(a), at(b), got, want[0])
				}
			}
		}
	})
}

func TestBinaryInPlace(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
		Binary(nil, Sub, x, One(1), Whole(x), 1, len(x))
		for i, v := range x {
			if v != float32(-i) {
				t.Fatalf("1 − x in place gives %v", x)
			}
		}
	})
}

// ulp is the distance of neighbours at v in float32.
func ulp(v float64) float64 {
	f := float32(math.Abs(v))
	return float64(math.Nextafter32(f, float32(math.Inf(1)))) - float64(f)
}

func TestUnary(t *testing.T) {
	exact := map[UnaryOp]func(float64) float64{
		Exp: math.Exp, Log: math.Log, Tanh: math.Tanh, Erf: math.Erf,
		Sigmoid: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		Gelu:    func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) },
		Quick:   func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) },
	}
	bound := map[UnaryOp]func(x, y float64) float64{
		Exp: func(x, y float64) float64 {
			if y < 0x1p-126 {
				return 0x1p-126
			}
			return 2 * ulp(y)
		},
		Log:     func(x, y float64) float64 { return 2 * ulp(y) },
		Tanh:    func(x, y float64) float64 { return 4e-7 * math.Abs(y) },
		Erf:     func(x, y float64) float64 { return 4e-7 * math.Abs(y) },
		Sigmoid: func(x, y float64) float64 { return 4e-7*math.Abs(y) + 0x1p-126 },
		Gelu:    func(x, y float64) float64 { return 1e-6 * max(math.Abs(x), 1) },
		Quick:   func(x, y float64) float64 { return 1e-6 * max(math.Abs(x), 1) },
	}
	r := kerneltest.Generator(22)
	var x []float32
	for i := range 40000 {
		x = append(x, float32((float64(i)-20000)/200), float32(math.Exp(r.Float64()*170-87)), float32(r.NormFloat64()))
	}
	x = append(x, specials...)
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for op := Neg; op <= Relu; op++ {
			y := make([]float32, len(x))
			Unary(pool, op, y, x)
			worst := 0.0
			for i, v := range x {
				f, inexact := exact[op]
				if !inexact {
					if want := plainFunctions[op](v); !tidy(y[i], want) && !(op == Relu && v == 0) {
						if op == Rsqrt && math.Abs(float64(y[i]-want)) <= 2*ulp(float64(want)) {
							continue
						}
						t.Fatalf("op %d of %v is %v, not %v", op, v, y[i], want)
					}
					continue
				}
				want := f(float64(v))
				if g := float64(y[i]); float32(want) != y[i] && !(math.IsNaN(want) && math.IsNaN(g)) {
					b := bound[op](float64(v), want)
					if !(math.Abs(g-want) <= b) {
						t.Fatalf("op %d of %v is %v, not %v: more than %g", op, v, y[i], want, b)
					}
					worst = max(worst, math.Abs(g-want)/b)
				}
			}
			if exact[op] != nil {
				t.Logf("op %d: worst error %.2f of its bound", op, worst)
			}
		}
	})
}

func TestUnaryEveryLength(t *testing.T) {
	r := kerneltest.Generator(23)
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for n := range 70 {
			x, y, one := kerneltest.Draw(r, n), make([]float32, n), make([]float32, 1)
			Unary(nil, Exp, y, x)
			for i := range x {
				Unary(nil, Exp, one, x[i:i+1])
				if one[0] != y[i] {
					t.Fatalf("length %d, element %d: %v alone, %v among others", n, i, one[0], y[i])
				}
			}
		}
	})
}

func TestActivationGrad(t *testing.T) {
	var x []float32
	for i := range 4000 {
		x = append(x, float32(i-2000)/100)
	}
	dy := make([]float32, len(x))
	for i := range dy {
		dy[i] = float32(i%7) - 3
	}
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for act := NoActivation; act <= ReLU; act++ {
			dx, want := make([]float32, len(x)), make([]float64, len(x))
			ActivationGrad(nil, act, dx, x, dy)
			for i, v := range x {
				z, slope := float64(v), 1.0
				switch act {
				case GELU:
					slope = 0.5*math.Erfc(-z/math.Sqrt2) + z*math.Exp(-0.5*z*z)/math.Sqrt(2*math.Pi)
				case QuickGELU:
					s := 1 / (1 + math.Exp(-1.702*z))
					slope = s + 1.702*z*s*(1-s)
				case ReLU:
					if z <= 0 {
						slope = 0
					}
				}
				want[i] = slope * float64(dy[i])
			}
			kerneltest.CloseTo(t, fmt.Sprint("activation ", act), dx, want, func(i int) float64 {
				return 1e-6 * max(math.Abs(float64(x[i])), 1) * math.Abs(float64(dy[i]))
			})
		}
	})
}

func TestSelect(t *testing.T) {
	r := kerneltest.Generator(24)
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		n := 101
		a, y := kerneltest.Draw(r, n), make([]float32, n)
		cond := make([]bool, n)
		for i := range cond {
			cond[i] = r.IntN(2) == 0
		}
		Select(nil, y, cond, Whole(a), One(3))
		for i := range y {
			want := float32(3)
			if cond[i] {
				want = a[i]
			}
			if y[i] != want {
				t.Fatalf("Select gives %v at %d, not %v", y[i], i, want)
			}
		}
	})
}

func TestCompareAndSelect(t *testing.T) {
	r := kerneltest.Generator(25)
	value := func() float32 {
		if r.IntN(3) == 0 {
			return specials[r.IntN(len(specials))]
		}
		return float32(r.IntN(3))
	}
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for n := range 60 {
			operand := func() Operand {
				x := make([]float32, max(n, 1))
				for i := range x {
					x[i] = value()
				}
				return Operand{x, Broadcast(r.IntN(2))}
			}
			for op := Equal; op <= GreaterEqual; op++ {
				a, b, got := operand(), operand(), make([]bool, n)
				Compare(nil, op, got, a, b)
				chosen := make([]float32, n)
				Select(nil, chosen, got, a, b)
				for i := range got {
					at := func(o Operand) float32 {
						if o.Kind == Scalar {
							return o.Data[0]
						}
						return o.Data[i]
					}
					if want := op.of(at(a), at(b)); got[i] != want {
						t.Fatalf("comparison %d of %v and %v is %v", op, at(a), at(b), got[i])
					}
					want := at(b)
					if got[i] {
						want = at(a)
					}
					if !tidy(chosen[i], want) {
						t.Fatalf("selected %v, not %v", chosen[i], want)
					}
				}
			}
		}
	})
}

func BenchmarkUnary(b *testing.B) {
	r := kerneltest.Generator(1)
	x := kerneltest.Draw(r, 1<<14)
	y := make([]float32, len(x))
	for op, name := range []string{"Neg", "Abs", "Sqrt", "Square", "Reciprocal", "Rsqrt", "Exp", "Log", "Tanh", "Sigmoid", "Erf", "Gelu", "Quick", "Relu"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				Unary(nil, UnaryOp(op), y, x)
			}
		})
	}
}
