package kernels

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded gives slices that end where a page begins that nobody may touch: a kernel that reads or
// writes one element too far dies.
type guarded struct {
	t *testing.T
	r *rand.Rand
}

func (g guarded) slice(n int) []float32 {
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		g.t.Skip("no pages to protect: ", err)
	}
	g.t.Cleanup(func() { _ = unix.Munmap(m) })
	if err := unix.Mprotect(m[size:], unix.PROT_NONE); err != nil {
		g.t.Skip("no protected page: ", err)
	}
	if n == 0 {
		return nil
	}
	x := unsafe.Slice((*float32)(unsafe.Pointer(&m[size-4*n])), n)
	for i := range x {
		x[i] = float32(g.r.NormFloat64())
	}
	return x
}

func TestProtectedPage(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		g := guarded{t, generator(51)}
		for n := 1; n < 40; n++ {
			x, y, z := g.slice(n), g.slice(n), g.slice(n)
			for op := Neg; op <= Relu; op++ {
				Unary(nil, op, y, x)
			}
			for op := Add; op <= Min; op++ {
				Binary(nil, op, z, Whole(x), Whole(y), 1, n)
				Binary(nil, op, z, Whole(x), One(2), 1, n)
				Binary(nil, op, z, One(2), Whole(y), 1, n)
			}
			for op := Sum; op <= Minimum; op++ {
				Total(nil, op, x)
			}
			Dot(nil, x, y)
			for act := NoActivation; act <= ReLU; act++ {
				ActivationGrad(nil, act, z, x, y)
			}
			Softmax(nil, y, x, 1, n)
			softmaxGradRow(z, y, x, 1)
			mean, rstd := g.slice(1), g.slice(1)
			LayerNorm(nil, z, mean, rstd, x, y, x, 1, n, 1e-5)
			transposeRows(g.slice(9*n), g.slice(9*n), n, 9, n, 9)
			transposeRows(g.slice(9*n), g.slice(9*n), 9, n, 9, n)
		}
	})
}

func TestProtectedPageProducts(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		g := guarded{t, generator(52)}
		for range 150 {
			m, n, k := 1+g.r.IntN(20), 1+g.r.IntN(40), 1+g.r.IntN(20)
			a, b := Matrix{Data: g.slice(m * k), Stride: k}, Matrix{Data: g.slice(k * n), Stride: n}
			if g.r.IntN(2) == 0 {
				a.Stride, a.Transposed = m, true
			}
			if g.r.IntN(2) == 0 {
				b.Stride, b.Transposed = k, true
			}
			e := Epilogue{Bias: g.slice(n), Residual: g.slice(m * n), Activation: Activation(g.r.IntN(4)), Accumulate: g.r.IntN(2) == 0}
			Gemm(nil, m, n, k, a, b, g.slice(m*n), n, e)
			GemmPacked(nil, m, a, PackB(nil, k, n, b), g.slice(m*n), n, e)
		}
		for range 40 {
			c := randomConv(g.r)
			h, v := c.Output()
			x, w, y := g.slice(c.Batch*c.Height*c.Width*c.In), g.slice(c.KernelH*c.KernelW*c.In*c.Out), g.slice(c.Batch*h*v*c.Out)
			c.Forward(nil, y, x, w, g.slice(c.Out), GELU)
			c.GradInput(nil, x, w, y)
			c.GradKernel(nil, w, x, y)
		}
		for range 40 {
			s := Attention{Batch: 1 + g.r.IntN(2), Heads: 1 + g.r.IntN(2), Queries: 1 + g.r.IntN(20), Keys: 1 + g.r.IntN(20), Width: 1 + g.r.IntN(20), Layout: HeadLayout(g.r.IntN(2))}
			n := s.Batch * s.Heads * s.Width
			q, k, v, o := g.slice(n*s.Queries), g.slice(n*s.Keys), g.slice(n*s.Keys), g.slice(n*s.Queries)
			lse := g.slice(s.Batch * s.Heads * s.Queries)
			s.Forward(nil, o, lse, q, k, v)
			s.Grad(nil, g.slice(len(q)), g.slice(len(k)), g.slice(len(v)), q, k, v, o, lse, o)
		}
	})
}

func TestProtectedPagePackedConv(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		g := guarded{t, generator(53)}
		for range 60 {
			randomPacked(g.r).run(t, g.slice, nil)
		}
	})
}
