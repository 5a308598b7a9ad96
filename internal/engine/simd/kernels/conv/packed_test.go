package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// packedCase is one convolution with everything that may be folded into it.
type packedCase struct {
	g              General
	scaled         bool
	shifted, added bool
	inPlace        bool // the residual is y
	act            vector.Activation
}

func randomPacked(r *rand.Rand) packedCase {
	c := randomConv(r)
	g := General{Batch: c.Batch, Height: c.Height, Width: c.Width, In: c.In, Out: c.Out, KernelH: c.KernelH, KernelW: c.KernelW,
		Strides: [2]int{c.StrideH, c.StrideW}, PadBefore: [2]int{c.PadTop, c.PadLeft}, PadAfter: [2]int{c.PadBottom, c.PadRight},
		W: c.filled().KernelStrides, X: dense([4]int{c.Batch, c.Height, c.Width, c.In}, c.Layout), Rounded: c.Rounded}
	p := packedCase{g: g, scaled: r.IntN(2) == 0, shifted: r.IntN(2) == 0, added: r.IntN(2) == 0, act: vector.Activation(r.IntN(4))}
	p.inPlace = p.added && r.IntN(2) == 0
	return p
}

// run compares the packed convolution with the exact one; slice makes memory.
func (p packedCase) run(t *testing.T, slice func(n int) []float32, pool *work.Pool) []float32 {
	t.Helper()
	c := p.g.plain()
	if !same([4]int{c.Batch, c.Height, c.Width, c.In}, p.g.X, dense([4]int{c.Batch, c.Height, c.Width, c.In}, NHWC)) {
		c.Layout = NCHW
	}
	h, v := c.Output()
	size := c.Batch * h * v * c.Out
	x, w, y := slice(c.Batch*c.Height*c.Width*c.In), slice(c.KernelH*c.KernelW*c.In*c.Out), slice(size)
	var scale, shift, residual []float32
	if p.scaled {
		scale = slice(c.Out)
	}
	if p.shifted {
		shift = slice(c.Out)
	}
	if p.added {
		residual = slice(size)
	}
	if p.g.plain().filled().rounds() { // what is rounded already, and scaled by a power of two, is not rounded again
		for _, s := range [][]float32{x, w} {
			for i, z := range s {
				s[i] = tile.FromBF16(tile.ToBF16(z))
			}
		}
		for o := range scale {
			scale[o] = float32(math.Ldexp(1, o%5-2))
		}
	}
	want, _, _, bound, _, _ := exactConv(c, x, w, make([]float32, size))
	k := c.KernelH * c.KernelW * c.In
	at := func(i int) (o, nhwc int) { // exactConv's result lies as x does
		o = i % c.Out
		if c.Layout == NCHW {
			o = i / (h * v) % c.Out
			return o, (i/(h*v*c.Out)*h*v+i%(h*v))*c.Out + o
		}
		return o, i
	}
	exact, bounds := make([]float64, size), make([]float64, size)
	for i, z := range want {
		o, to := at(i)
		s := bound[i]
		if p.scaled {
			z, s = z*float64(scale[o]), s*math.Abs(float64(scale[o]))
		}
		if p.shifted {
			z, s = z+float64(shift[o]), s+math.Abs(float64(shift[o]))
		}
		if p.added {
			z, s = z+float64(residual[to]), s+math.Abs(float64(residual[to]))
		}
		switch p.act {
		case vector.GELU:
			z *= 0.5 * math.Erfc(-z/math.Sqrt2)
		case vector.QuickGELU:
			z /= 1 + math.Exp(-1.702*z)
		case vector.ReLU:
			z = max(z, 0)
		}
		exact[to], bounds[to] = z, (s+4)*float64(k+16)*0x1p-24
	}
	once := slice(size)
	copy(once, residual)
	rest := residual
	if p.inPlace {
		rest = once
	}
	p.g.Forward(pool, once, x, w, scale, shift, rest, p.act)
	packed := p.g.Pack(w, scale, shift)
	for _, s := range [][]float32{w, scale, shift} { // what was packed does not look back
		clear(s)
	}
	if p.inPlace {
		y = residual
	}
	packed.Run(pool, y, x, residual, p.act)
	kerneltest.CloseTo(t, fmt.Sprintf("%+v", p), y, exact, func(i int) float64 { return bounds[i] })
	kerneltest.SameBits(t, fmt.Sprintf("packed for one call: %+v", p), once, y)
	return y
}

func TestPackedConv(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(12)
		for range 200 {
			randomPacked(r).run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
		}
	})
}

func TestPackedConvThreads(t *testing.T) {
	p := packedCase{g: General{Batch: 3, Height: 20, Width: 17, In: 16, Out: 24, KernelH: 3, KernelW: 3, Strides: [2]int{1, 1},
		PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}, scaled: true, shifted: true, added: true, act: vector.ReLU}
	p.g.W, p.g.X = [4]int{3 * 16 * 24, 16 * 24, 24, 1}, dense([4]int{3, 20, 17, 16}, NHWC)
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		var first []float32
		for _, threads := range []int{1, 2, 5} {
			pool, r := work.NewPool(threads), kerneltest.Generator(13)
			y := p.run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, pool)
			pool.Close()
			if first == nil {
				first = y
			}
			kerneltest.SameBits(t, fmt.Sprint(threads, " threads"), first, y)
		}
	})
}

// TestPackedConvLevels: a kernel that one level packed works on the others.
func TestPackedConvLevels(t *testing.T) {
	g := General{Batch: 1, Height: 6, Width: 5, In: 3, Out: 20, KernelH: 2, KernelW: 2, W: [4]int{120, 60, 20, 1}, X: [4]int{90, 15, 3, 1}}
	r := kerneltest.Generator(14)
	x, w := kerneltest.Draw(r, 90), kerneltest.Draw(r, 240)
	for from := level.Off; from <= level.Best(); from++ {
		undo := level.Force(from)
		k := g.Pack(w, nil, nil)
		undo()
		var first []float32
		for to := level.Off; to <= level.Best(); to++ {
			undo := level.Force(to)
			y := make([]float32, 5*4*20)
			k.Run(nil, y, x, nil, vector.ReLU)
			undo()
			if first == nil {
				first = y
			}
			kerneltest.SameBits(t, fmt.Sprintf("packed on %v, used on %v", from, to), first, y)
		}
	}
}

func FuzzPackedConv(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(99))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for l := level.Off; l <= level.Best(); l++ {
			undo := level.Force(l)
			r := kerneltest.Generator(seed)
			randomPacked(r).run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
			undo()
		}
	})
}

// BenchmarkPackedConv runs the stem of a small model on one picture, kernels packed and not.
func BenchmarkPackedConv(b *testing.B) {
	for _, c := range []struct{ size, in, out, stride int }{{64, 3, 24, 2}, {32, 24, 48, 2}, {16, 48, 48, 1}, {16, 48, 96, 2}, {8, 96, 96, 1}} {
		g := General{Batch: 1, Height: c.size, Width: c.size, In: c.in, Out: c.out, KernelH: 3, KernelW: 3,
			Strides: [2]int{c.stride, c.stride}, PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1},
			X: dense([4]int{1, c.size, c.size, c.in}, NHWC), W: [4]int{3 * c.in * c.out, c.in * c.out, c.out, 1}}
		h, v := g.Output()
		g.Y = dense([4]int{1, h, v, c.out}, NHWC)
		r := kerneltest.Generator(1)
		x, w, y := kerneltest.Draw(r, c.size*c.size*c.in), kerneltest.Draw(r, 9*c.in*c.out), make([]float32, h*v*c.out)
		flops := 2 * float64(h*v*9*c.in*c.out)
		name := fmt.Sprintf("%d×%d×%d to %d", c.size, c.size, c.in, c.out)
		b.Run(name+"/general", func(b *testing.B) {
			for b.Loop() {
				g.Run(nil, y, x, w)
			}
			kerneltest.Gflops(b, flops)
		})
		k := g.Pack(w, nil, nil)
		b.Run(name+"/packed", func(b *testing.B) {
			for b.Loop() {
				k.Run(nil, y, x, nil, vector.ReLU)
			}
			kerneltest.Gflops(b, flops)
		})
	}
}
