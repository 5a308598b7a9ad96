package vector

import (
	"fmt"
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

func TestReduce(t *testing.T) {
	r := kerneltest.Generator(31)
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for i := range 120 {
			outer, middle, inner := 1+r.IntN(4), r.IntN(40), 1+r.IntN(40)
			switch i % 10 {
			case 0:
				inner = 1
			case 1:
				middle = 1000
			case 2:
				outer, middle, inner = 1, 700, 20
			}
			x := kerneltest.Draw(r, outer*middle*inner)
			for op := Sum; op <= Minimum; op++ {
				dst := kerneltest.Draw(r, outer*inner)
				ReduceMiddle(pool, op, dst, x, outer, middle, inner)
				want, size := make([]float64, len(dst)), make([]float64, len(dst))
				for q := range want {
					want[q] = float64(op.empty())
					for m := range middle {
						v := float64(x[(q/inner*middle+m)*inner+q%inner])
						size[q] += math.Abs(v)
						switch op {
						case Sum:
							want[q] += v
						case Maximum:
							want[q] = max(want[q], v)
						default:
							want[q] = min(want[q], v)
						}
					}
				}
				kerneltest.CloseTo(t, fmt.Sprint("reduction ", op, outer, middle, inner), dst, want, func(i int) float64 {
					if op != Sum {
						return 0
					}
					return size[i] * (float64(middle)/32 + 300) * 0x1p-24
				})
			}
		}
	})
}

func TestReduceNaN(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for n := 1; n < 80; n++ {
			for at := range n {
				x := make([]float32, n)
				x[at] = float32(math.NaN())
				for op := Sum; op <= Minimum; op++ {
					if v := Total(nil, op, x); v == v {
						t.Fatalf("reduction %d of %d elements with NaN at %d is %v", op, n, at, v)
					}
				}
				x[at] = -2
				if v := Total(nil, Minimum, x); v != -2 {
					t.Fatalf("minimum of %d elements with -2 at %d is %v", n, at, v)
				}
				x[at] = 2
				if v := Total(nil, Maximum, x); v != 2 {
					t.Fatalf("maximum of %d elements with 2 at %d is %v", n, at, v)
				}
				for i := range x {
					x[i] -= 3
				}
				if v := Total(nil, Maximum, x); v != -1 {
					t.Fatalf("maximum of %d negative elements is %v", n, v)
				}
			}
		}
	})
}

func TestTotalAndDot(t *testing.T) {
	r := kerneltest.Generator(32)
	x, y := kerneltest.Draw(r, 100003), kerneltest.Draw(r, 100003)
	var sum, dot, size float64
	for i, v := range x {
		sum += float64(v)
		dot += float64(v) * float64(y[i])
		size += math.Abs(float64(v)) + math.Abs(float64(v)*float64(y[i]))
	}
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		var first [2]float32
		for i, threads := range []int{1, 2, 5} {
			pool := work.NewPool(threads)
			got := [2]float32{Total(pool, Sum, x), Dot(pool, x, y)}
			pool.Close()
			if i == 0 {
				first = got
			}
			if got != first {
				t.Errorf("%d threads give %v, not %v", threads, got, first)
			}
		}
		kerneltest.CloseTo(t, "sum, dot", first[:], []float64{sum, dot}, func(int) float64 { return size * 300 * 0x1p-24 })
	})
}

func TestSoftmax(t *testing.T) {
	r := kerneltest.Generator(33)
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for range 60 {
			rows, cols := 1+r.IntN(5), 1+r.IntN(90)
			x, dy := kerneltest.Draw(r, rows*cols), kerneltest.Draw(r, rows*cols)
			for i := range x {
				x[i] *= 20
			}
			if cols > 2 {
				x[r.IntN(cols)] = float32(math.Inf(-1))
			}
			y, dx := make([]float32, len(x)), make([]float32, len(x))
			Softmax(nil, y, x, rows, cols)
			want, grad, size := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
			for a := range rows {
				top, sum, s, m := math.Inf(-1), 0.0, 0.0, 0.0
				for b := range cols {
					top = max(top, float64(x[a*cols+b]))
				}
				for b := range cols {
					sum += math.Exp(float64(x[a*cols+b]) - top)
				}
				for b := range cols {
					i := a*cols + b
					want[i] = math.Exp(float64(x[i])-top) / sum
					s += want[i] * float64(dy[i])
					m += want[i] * math.Abs(float64(dy[i]))
				}
				for b := range cols {
					i := a*cols + b
					grad[i] = want[i] * (float64(dy[i]) - s)
					size[i] = want[i] * (math.Abs(float64(dy[i])) + m)
				}
			}
			kerneltest.CloseTo(t, "softmax", y, want, func(i int) float64 { return 8e-6*want[i] + 1e-30 })
			softmaxGradRows(dx, y, dy, rows, cols)
			kerneltest.CloseTo(t, "gradient", dx, grad, func(i int) float64 { return 3e-5*size[i] + 1e-30 })
			softmaxGradRows(y, y, dy, rows, cols)
			kerneltest.SameBits(t, "gradient in place", y, dx)
		}
		nan := []float32{1, float32(math.NaN()), 2}
		Softmax(nil, nan, nan, 1, 3)
		for _, v := range nan {
			if v == v {
				t.Errorf("softmax with NaN gives %v", nan)
			}
		}
	})
}

func TestLayerNorm(t *testing.T) {
	r := kerneltest.Generator(34)
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for i := range 60 {
			rows, cols := 1+r.IntN(5), 2+r.IntN(90)
			if i%10 == 0 {
				rows = 150
			}
			x, gamma, beta := kerneltest.Draw(r, rows*cols), kerneltest.Draw(r, cols), kerneltest.Draw(r, cols)
			if i%3 == 1 {
				gamma = nil
			}
			if i%4 == 1 {
				beta = nil
			}
			for q := range x {
				x[q] += 3
			}
			y, mean, rstd := make([]float32, len(x)), make([]float32, rows), make([]float32, rows)
			LayerNorm(nil, y, mean, rstd, x, gamma, beta, rows, cols, 1e-5)
			wy := make([]float64, len(x))
			for a := range rows {
				var m, v float64
				for b := range cols {
					m += float64(x[a*cols+b]) / float64(cols)
				}
				for b := range cols {
					d := float64(x[a*cols+b]) - m
					v += d * d / float64(cols)
				}
				s := 1 / math.Sqrt(v+1e-5)
				g := func(b int) float64 {
					if gamma == nil {
						return 1
					}
					return float64(gamma[b])
				}
				for b := range cols {
					wy[a*cols+b] = (float64(x[a*cols+b]) - m) * s * g(b)
					if beta != nil {
						wy[a*cols+b] += float64(beta[b])
					}
				}
			}
			// Two columns can lie close together: then 1/σ multiplies the rounding of x.
			slack := func(a int) float64 { return 1e-5 * max(1, float64(rstd[a])) * max(1, float64(rstd[a])) * 4 }
			kerneltest.CloseTo(t, "y", y, wy, func(i int) float64 { return slack(i / cols) })
		}
	})
}

func TestTransposeAndPermute(t *testing.T) {
	r := kerneltest.Generator(36)
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for range 200 {
			shape, perm := make([]int, 1+r.IntN(5)), r.Perm(5)
			n := 1
			for i := range shape {
				shape[i] = 1 + r.IntN(20)/(1+r.IntN(3))
				n *= shape[i]
			}
			p := perm[:0]
			for _, a := range perm {
				if a < len(shape) {
					p = append(p, a)
				}
			}
			src, dst := kerneltest.Draw(r, n), kerneltest.Draw(r, n)
			Permute(pool, dst, src, shape, p)
			index := make([]int, len(shape)) // of dst
			for i, got := range dst {
				rest := i
				for a := len(shape) - 1; a >= 0; a-- {
					index[p[a]] = rest % shape[p[a]]
					rest /= shape[p[a]]
				}
				at := 0
				for a, s := range shape {
					at = at*s + index[a]
				}
				if src[at] != got {
					t.Fatalf("permutation %v of %v: element %d is %v, not %v", p, shape, i, got, src[at])
				}
			}
		}
		b, rows, cols := 3, 37, 70
		src, dst := kerneltest.Draw(r, b*rows*cols), kerneltest.Draw(r, b*rows*cols)
		Permute(pool, dst, src, []int{b, rows, cols}, []int{0, 2, 1})
		for i, got := range dst {
			if want := src[i/(rows*cols)*rows*cols+i%rows*cols+i/rows%cols]; got != want {
				t.Fatalf("transpose: element %d is %v, not %v", i, got, want)
			}
		}
	})
}

func BenchmarkRows(b *testing.B) {
	r := kerneltest.Generator(1)
	const rows, cols = 3072, 64
	x, y := kerneltest.Draw(r, rows*cols), kerneltest.Draw(r, rows*cols)
	gamma, beta, mean, rstd := kerneltest.Draw(r, cols), kerneltest.Draw(r, cols), kerneltest.Draw(r, rows), kerneltest.Draw(r, rows)
	big, out := kerneltest.Draw(r, 49152*16), kerneltest.Draw(r, 49152*16)
	cond := make([]bool, len(big))
	for name, f := range map[string]struct {
		n int
		f func()
	}{
		"LayerNorm":    {rows * cols, func() { LayerNorm(nil, y, mean, rstd, x, gamma, beta, rows, cols, 1e-5) }},
		"Softmax":      {rows * cols, func() { Softmax(nil, y, x, rows, cols) }},
		"Add":          {len(big), func() { Binary(nil, Add, out, Whole(big), Whole(big), 1, len(big)) }},
		"Mul16Row":     {len(big), func() { Binary(nil, Mul, out, Whole(big), Operand{gamma, Row}, 49152, 16) }},
		"Mul16Column":  {len(big), func() { Binary(nil, Mul, out, Whole(big), Operand{big, Column}, 49152, 16) }},
		"SumLeading16": {len(big), func() { ReduceMiddle(nil, Sum, out, big, 1, 49152, 16) }},
		"SumLast16":    {len(big), func() { ReduceLast(nil, Sum, out, big, 49152, 16) }},
		"SumMiddle":    {len(big), func() { ReduceMiddle(nil, Sum, out, big, 48, 256, 64) }},
		"Select":       {len(big), func() { Select(nil, out, cond, Whole(big), One(0)) }},
		"ReluGrad":     {len(big), func() { ActivationGrad(nil, ReLU, out, big, big) }},
		"GeluGrad":     {len(big), func() { ActivationGrad(nil, GELU, out, big, big) }},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f.f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(f.n), "ns/element")
		})
	}
}

func softmaxGradRows(dx, y, dy []float32, rows, cols int) {
	for i := 0; i < rows*cols; i += cols {
		SoftmaxGradRow(dx[i:][:cols], y[i:][:cols], dy[i:][:cols], DotRow(y[i:][:cols], dy[i:][:cols]))
	}
}
