package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// exactConv computes y, dx and dw in float64, and the sums of magnitudes beside them.
func exactConv(c Conv, x, w, dy []float32) (y, dx, dw, sy, sx, sw []float64) {
	c = c.filled()
	h, v := c.Output()
	xb, xy, xx, xc := c.Layout.strides(c.Height, c.Width, c.In)
	yb, yy, yx, yc := c.Layout.strides(h, v, c.Out)
	s := c.KernelStrides
	y, sy = make([]float64, len(dy)), make([]float64, len(dy))
	dx, sx = make([]float64, len(x)), make([]float64, len(x))
	dw, sw = make([]float64, len(w)), make([]float64, len(w))
	for n := range c.Batch {
		for oy := range h {
			for ox := range v {
				c.taps(oy, ox, func(i, j, py, px int) {
					for ci := range c.In {
						for o := range c.Out {
							a, b, d := n*xb+py*xy+px*xx+ci*xc, c.position(i, j)+ci*s[2]+o*s[3], n*yb+oy*yy+ox*yx+o*yc
							add := func(to, size []float64, at int, u, v float32) {
								to[at] += float64(u) * float64(v)
								size[at] += math.Abs(float64(u) * float64(v))
							}
							add(y, sy, d, x[a], w[b])
							add(dx, sx, a, dy[d], w[b])
							add(dw, sw, b, dy[d], x[a])
						}
					}
				})
			}
		}
	}
	return
}

func randomConv(r *rand.Rand) Conv {
	c := Conv{Batch: 1 + r.IntN(3), Height: 1 + r.IntN(13), Width: 1 + r.IntN(13), In: 1 + r.IntN(20), Out: 1 + r.IntN(40),
		KernelH: 1 + r.IntN(4), KernelW: 1 + r.IntN(4), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3),
		PadTop: r.IntN(4), PadBottom: r.IntN(4), PadLeft: r.IntN(4), PadRight: r.IntN(4), Layout: Layout(r.IntN(2))}
	switch r.IntN(4) {
	case 0:
		c.StrideH, c.StrideW = c.KernelH, c.KernelW
	case 1:
		c.In, c.Out = 16, 32
	}
	c.Reversed, c.Rounded = r.IntN(3) == 0, r.IntN(2) == 0
	if r.IntN(4) == 0 {
		c.PadBottom, c.PadRight = -r.IntN(2), -r.IntN(2)
	}
	switch r.IntN(4) {
	case 0: // [out, in, i, j]
		c.KernelStrides = [4]int{c.KernelW, 1, c.KernelH * c.KernelW, c.In * c.KernelH * c.KernelW}
	case 1: // [in, i, j, out]
		c.KernelStrides = [4]int{c.KernelW * c.Out, c.Out, c.KernelH * c.KernelW * c.Out, 1}
	}
	return c
}

func checkConv(t *testing.T, c Conv, r *rand.Rand, pool *work.Pool) (y, dx, dw []float32) {
	t.Helper()
	h, v := c.Output()
	x := kerneltest.Draw(r, c.Batch*c.Height*c.Width*c.In)
	w := kerneltest.Draw(r, c.KernelH*c.KernelW*c.In*c.Out)
	dy := kerneltest.Draw(r, c.Batch*h*v*c.Out)
	bias := kerneltest.Draw(r, c.Out)
	if c.rounds() { // what is rounded already is not rounded again
		for _, s := range [][]float32{x, w, dy} {
			for i, z := range s {
				s[i] = tile.FromBF16(tile.ToBF16(z))
			}
		}
	}
	wy, wx, ww, sy, sx, sw := exactConv(c, x, w, dy)
	y, dx, dw = kerneltest.Draw(r, len(dy)), kerneltest.Draw(r, len(x)), kerneltest.Draw(r, len(w))
	act := vector.Activation(r.IntN(4))
	for i := range wy {
		o := i % c.Out
		if c.Layout == NCHW {
			o = i / (h * v) % c.Out
		}
		z := wy[i] + float64(bias[o])
		switch act {
		case vector.GELU:
			z *= 0.5 * math.Erfc(-z/math.Sqrt2)
		case vector.QuickGELU:
			z /= 1 + math.Exp(-1.702*z)
		case vector.ReLU:
			z = max(z, 0)
		}
		wy[i] = z
	}
	bound := func(size []float64, terms int) func(int) float64 {
		return func(i int) float64 { return (size[i] + 4) * float64(terms+16) * 0x1p-24 }
	}
	name := fmt.Sprintf("%+v", c)
	c.Forward(pool, y, x, w, bias, act)
	kerneltest.CloseTo(t, "y of "+name, y, wy, bound(sy, c.KernelH*c.KernelW*c.In))
	c.GradInput(pool, dx, w, dy)
	kerneltest.CloseTo(t, "dx of "+name, dx, wx, bound(sx, c.KernelH*c.KernelW*c.Out))
	c.GradKernel(pool, dw, x, dy)
	kerneltest.CloseTo(t, "dw of "+name, dw, ww, bound(sw, c.Batch*h*v))
	return y, dx, dw
}

func TestConv(t *testing.T) {
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(11)
		for range 150 {
			checkConv(t, randomConv(r), r, pool)
		}
	})
}

func TestConvThreads(t *testing.T) {
	c := Conv{Batch: 11, Height: 14, Width: 12, In: 17, Out: 24, KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 1,
		PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for _, c.Rounded = range []bool{false, true} {
			var y, dx, dw []float32
			for _, threads := range []int{1, 2, 5} {
				pool := work.NewPool(threads)
				a, b, d := checkConv(t, c, kerneltest.Generator(5), pool)
				pool.Close()
				if y != nil {
					kerneltest.SameBits(t, "y", a, y)
					kerneltest.SameBits(t, "dx", b, dx)
					kerneltest.SameBits(t, "dw", d, dw)
				}
				y, dx, dw = a, b, d
			}
		}
	})
}

// BenchmarkConv runs the layers of a small model's stem at batch 48.
func BenchmarkConv(b *testing.B) {
	for _, s := range []struct{ size, in, out, stride int }{{64, 3, 24, 2}, {32, 24, 48, 2}, {16, 48, 48, 1}, {16, 48, 96, 2}, {8, 96, 96, 1}} {
		c := Conv{Batch: 48, Height: s.size, Width: s.size, In: s.in, Out: s.out, KernelH: 3, KernelW: 3,
			StrideH: s.stride, StrideW: s.stride, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
		h, v := c.Output()
		r := kerneltest.Generator(1)
		x, w, y := kerneltest.Draw(r, c.Batch*s.size*s.size*s.in), kerneltest.Draw(r, 9*s.in*s.out), kerneltest.Draw(r, c.Batch*h*v*s.out)
		for _, c.Rounded = range []bool{false, true} {
			for name, f := range map[string]func(p *work.Pool){
				"forward": func(p *work.Pool) { c.Forward(p, y, x, w, nil, vector.ReLU) },
				"input":   func(p *work.Pool) { c.GradInput(p, x, w, y) },
				"kernel":  func(p *work.Pool) { c.GradKernel(p, w, x, y) },
			} {
				b.Run(fmt.Sprintf("%d_%d_%d_s%d/rounded=%v/%s", s.size, s.in, s.out, s.stride, c.Rounded, name), func(b *testing.B) {
					for b.Loop() {
						f(nil)
					}
					kerneltest.Gflops(b, c.flops())
				})
			}
		}
	}
}
