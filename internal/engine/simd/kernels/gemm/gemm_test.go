package gemm

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

// productCase is one random product, computed in float64 beside Run.
type productCase struct {
	batch, m, n, k int
	ta, tb         bool
	extra          int // stride beyond the row
	shareA, shareB bool
	accumulate     bool
	bias, residual bool
	residualInC    bool
	act            vector.Activation
	alpha          float32
	packed         bool
}

func (p productCase) name() string { return fmt.Sprintf("%+v", p) }

func (p productCase) run(t *testing.T, r *rand.Rand, pool *work.Pool) []float32 {
	t.Helper()
	matrix := func(rows, cols int, tr bool) (tile.Matrix, int) {
		if tr {
			rows, cols = cols, rows
		}
		s := cols + p.extra
		size := rows * s
		return tile.Matrix{Data: kerneltest.Draw(r, p.batch*size), Stride: s, Transposed: tr}, size
	}
	a, sa := matrix(p.m, p.k, p.ta)
	b, sb := matrix(p.k, p.n, p.tb)
	if p.shareA {
		sa = 0
	}
	if p.shareB || p.packed {
		sb = 0
	}
	ldc := p.n + p.extra
	sc := p.m * ldc
	c := kerneltest.Draw(r, p.batch*sc)
	e := Epilogue{Alpha: p.alpha, Accumulate: p.accumulate, Activation: p.act}
	if p.bias {
		e.Bias = kerneltest.Draw(r, p.n)
	}
	if p.residual {
		e.Residual = kerneltest.Draw(r, p.batch*sc)
	}
	if p.residualInC {
		e.Residual = c
	}
	want, bound, rest := p.exact(a, sa, b, sb, c, ldc, sc, e)
	if p.packed {
		w := PackB(pool, p.k, p.n, b)
		for i := range p.batch {
			f := e
			if f.Residual != nil {
				f.Residual = f.Residual[i*sc:]
			}
			x := a
			x.Data = x.Data[i*sa:]
			multiplyPacked(pool, p.m, x, w, c[i*sc:], ldc, f)
		}
	} else if p.batch > 0 { // Batch 0 stands for one
		Product{M: p.m, N: p.n, K: p.k, A: a, B: b, C: c, LDC: ldc, Epilogue: e, Batch: p.batch, StrideA: sa, StrideB: sb, StrideC: sc}.Run(pool)
	}
	kerneltest.CloseTo(t, p.name(), c, want, func(i int) float64 {
		if rest[i] {
			return 0 // between the rows of C nothing may change
		}
		return bound[i]
	})
	return c
}

// exact is the product in float64 with a bound for each element; rest marks what is not part of C.
func (p productCase) exact(a tile.Matrix, sa int, b tile.Matrix, sb int, c []float32, ldc, sc int, e Epilogue) (want, bound []float64, rest []bool) {
	want, bound, rest = make([]float64, len(c)), make([]float64, len(c)), make([]bool, len(c))
	for i, v := range c {
		want[i], rest[i] = float64(v), true
	}
	at := func(x tile.Matrix, start, i, j int) float64 {
		if x.Transposed {
			i, j = j, i
		}
		return float64(x.Data[start+i*x.Stride+j])
	}
	alpha := float64(e.Alpha)
	if alpha == 0 {
		alpha = 1
	}
	for t := range p.batch {
		for i := range p.m {
			for j := range p.n {
				var sum, size float64
				for q := range p.k {
					v := at(a, t*sa, i, q) * at(b, t*sb, q, j)
					sum += v
					size += math.Abs(v)
				}
				o := t*sc + i*ldc + j
				v := alpha * sum
				size = size*math.Abs(alpha) + 4
				if e.Accumulate {
					v += float64(c[o])
				}
				if e.Bias != nil {
					v += float64(e.Bias[j])
				}
				switch e.Activation {
				case vector.GELU:
					v *= 0.5 * math.Erfc(-v/math.Sqrt2)
				case vector.QuickGELU:
					v /= 1 + math.Exp(-1.702*v)
				case vector.ReLU:
					v = max(v, 0)
				}
				if e.Residual != nil {
					v += float64(e.Residual[o])
				}
				want[o], rest[o] = v, false
				bound[o] = size * (float64(p.k) + 16) * 0x1p-24
			}
		}
	}
	return want, bound, rest
}

func TestGemm(t *testing.T) {
	pool := work.NewPool(3)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(1)
		for i := range 400 {
			size := func() int {
				switch r.IntN(4) {
				case 0:
					return 1 + r.IntN(4)
				case 1:
					return 8 * (1 + r.IntN(8))
				}
				return 1 + r.IntN(70)
			}
			p := productCase{batch: 1, m: size(), n: size(), k: size(), ta: r.IntN(2) == 0, tb: r.IntN(2) == 0,
				extra: r.IntN(2) * r.IntN(20), accumulate: r.IntN(3) == 0, bias: r.IntN(2) == 0,
				residual: r.IntN(4) == 0, act: vector.Activation(r.IntN(4)), packed: r.IntN(3) == 0}
			if r.IntN(3) == 0 {
				p.batch = r.IntN(5)
				p.packed = p.packed && p.batch > 0
				p.shareA, p.shareB = r.IntN(3) == 0, r.IntN(3) == 0
			}
			if r.IntN(3) == 0 {
				p.alpha = 0.37
			}
			if !p.accumulate && !p.residual {
				p.residualInC = r.IntN(6) == 0
			}
			if i%20 == 0 { // beyond one block of each axis, split among threads
				p.m, p.k, p.batch = 90+r.IntN(40), 380+r.IntN(20), 1
			}
			p.run(t, r, pool)
		}
	})
}

func TestGemmPathsOfPacked(t *testing.T) {
	r := kerneltest.Generator(2)
	for from := level.Off; from <= level.Best(); from++ {
		for to := level.Off; to <= level.Best(); to++ {
			k, n, m := 33, 45, 19
			x, y := kerneltest.Draw(r, m*k), kerneltest.Draw(r, k*n)
			undo := level.Force(from)
			w := PackB(nil, k, n, tile.Matrix{Data: y, Stride: n})
			undo()
			undo = level.Force(to)
			a, b := make([]float32, m*n), make([]float32, m*n)
			multiplyPacked(nil, m, tile.Matrix{Data: x, Stride: k}, w, a, n, Epilogue{})
			multiply(nil, m, n, k, tile.Matrix{Data: x, Stride: k}, tile.Matrix{Data: y, Stride: n}, b, n, Epilogue{})
			undo()
			kerneltest.SameBits(t, fmt.Sprintf("packed on %v, used on %v", from, to), a, b)
		}
	}
}

func TestGemmEmpty(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		c := []float32{5, 6}
		multiply(nil, 0, 3, 4, tile.Matrix{Stride: 4}, tile.Matrix{Data: make([]float32, 12), Stride: 3}, nil, 3, Epilogue{})
		multiply(nil, 1, 2, 0, tile.Matrix{}, tile.Matrix{Stride: 2}, c, 2, Epilogue{Accumulate: true, Bias: []float32{1, 2}})
		if c[0] != 6 || c[1] != 8 {
			t.Errorf("an empty sum with C and bias gives %v", c)
		}
	})
}

func TestGemmNaN(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		n := 9
		a, b, c := []float32{inf, 1, nan, 1, 1, 1}, make([]float32, 2*n), make([]float32, 3*n)
		for i := range b {
			b[i] = float32(i%3) - 1
		}
		multiply(nil, 3, n, 2, tile.Matrix{Data: a, Stride: 2}, tile.Matrix{Data: b, Stride: n}, c, n, Epilogue{Activation: vector.ReLU})
		for j := range n {
			x := float64(inf)*float64(b[j]) + float64(b[n+j])
			want := max(x, 0)
			if g := float64(c[j]); g != want && !(math.IsNaN(g) && math.IsNaN(want)) {
				t.Errorf("column %d: %v, not %v", j, g, want)
			}
			if g := c[n+j]; g == g {
				t.Errorf("ReLU of NaN is %v", g)
			}
		}
	})
}

func TestGemmThreads(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for _, p := range []productCase{
			{batch: 1, m: 200, n: 130, k: 390, bias: true, act: vector.GELU, residual: true},
			{batch: 7, m: 65, n: 40, k: 64, tb: true},
			{batch: 1, m: 500, n: 20, k: 70, ta: true, packed: true},
		} {
			var first []float32
			for _, threads := range []int{1, 2, 7} {
				pool := work.NewPool(threads)
				c := p.run(t, kerneltest.Generator(3), pool)
				pool.Close()
				if first == nil {
					first = c
				}
				kerneltest.SameBits(t, fmt.Sprint(p, threads), first, c)
			}
		}
	})
}

// Products whose tasks pack columns for themselves, and those that do not for want of them, on one thread and several.
func TestGemmOwnColumns(t *testing.T) {
	rounds := 9
	if kerneltest.RaceDetector {
		rounds = 3
	}
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(7)
		for i := range rounds {
			p := productCase{batch: 1, m: 96 + r.IntN(60), n: 1 + r.IntN(700), k: 1 + r.IntN(200), ta: r.IntN(4) == 0, tb: r.IntN(2) == 0,
				extra: r.IntN(2) * r.IntN(20), accumulate: r.IntN(3) == 0, bias: r.IntN(2) == 0, residual: r.IntN(4) == 0, act: vector.Activation(r.IntN(4))}
			switch i % 3 {
			case 0: // rows of B that crowd a cache, several blocks of terms
				p.n, p.k, p.extra = 64*(1+r.IntN(6)), 380+r.IntN(420), 0
			case 1: // enough rows
				p.m = 256 + r.IntN(20)
			}
			var first []float32
			seed := r.Uint64()
			for _, threads := range []int{1, 2 + r.IntN(6)} {
				pool := work.NewPool(threads)
				c := p.run(t, kerneltest.Generator(seed), pool)
				pool.Close()
				if first == nil {
					first = c
				}
				kerneltest.SameBits(t, fmt.Sprint(p, threads), first, c)
			}
		}
	})
}

// How columns fall to threads: evenly, each task with panels of its own.
func TestColumnParts(t *testing.T) {
	for _, c := range []struct{ threads, m, n, batch, want int }{
		{1, 260, 384, 1, 1}, {2, 260, 384, 1, 4}, {2, 260, 1536, 1, 4}, {3, 260, 384, 1, 6}, {2, 196, 96, 1, 0}, {2, 196, 64, 1, 2},
		{4, 260, 384, 1, 4}, {5, 260, 384, 1, 0}, {2, 5000, 384, 1, 0}, {2, 260, 384, 3, 0}, {64, 260, 384, 1, 0}, {2, 260, 192, 1, 2},
	} {
		pool := work.NewPool(c.threads)
		g := product{Shape: tile.Shape{Wide: 32}, m: c.m, n: c.n}
		if got := g.columnParts(pool, c.batch); got != c.want {
			t.Errorf("%+v: %d parts", c, got)
		}
		pool.Close()
	}
}

// TestGemmBeyondCaches multiplies by a matrix of 35 MB.
func TestGemmBeyondCaches(t *testing.T) {
	if testing.Short() || kerneltest.RaceDetector {
		t.Skip("one large product, left out where it takes long")
	}
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for _, packed := range []bool{true, false} {
			p := productCase{batch: 1, m: 14, n: 4200, k: 2100, bias: true, packed: packed}
			p.run(t, kerneltest.Generator(6), pool)
		}
	})
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct{ m, k, n, packed int }{
		{1024, 1024, 1024, 0}, {1024, 1024, 1024, 1}, {260, 384, 1536, 0}, {260, 1536, 384, 0}, {260, 384, 1536, 1}, {260, 1536, 384, 1}, {196, 384, 384, 1},
		{196, 384, 384, 0}, {12, 64, 64, 0}, {48, 64, 64, 0}, {200, 64, 64, 0}, {64, 64, 256, 0}, {3072, 64, 256, 0}, {3072, 256, 64, 0}, {48, 64, 48, 2}, {64, 3072, 256, 3}, {3072, 64, 256, 2},
	} {
		for _, threads := range []int{1, 2} {
			if threads > 1 && s.m*s.n*s.k < 1<<21 {
				continue
			}
			b.Run(fmt.Sprintf("%dx%dx%d/%s/threads%d", s.m, s.k, s.n, []string{"plain", "packed", "transposedB", "transposedA"}[s.packed], threads), func(b *testing.B) {
				kerneltest.BenchOnLevels(b, func(b *testing.B) {
					pool := work.NewPool(threads)
					defer pool.Close()
					r := kerneltest.Generator(1)
					x, y, c := kerneltest.Draw(r, s.m*s.k), kerneltest.Draw(r, s.k*s.n), make([]float32, s.m*s.n)
					ma, mb := tile.Matrix{Data: x, Stride: s.k}, tile.Matrix{Data: y, Stride: s.n}
					if s.packed == 2 {
						mb = tile.Matrix{Data: y, Stride: s.k, Transposed: true}
					}
					if s.packed == 3 {
						ma = tile.Matrix{Data: x, Stride: s.m, Transposed: true}
					}
					w := PackB(nil, s.k, s.n, mb)
					kerneltest.Loop(b, 2*float64(s.m*s.n*s.k), func() {
						if s.packed == 1 {
							multiplyPacked(pool, s.m, ma, w, c, s.n, Epilogue{})
						} else {
							multiply(pool, s.m, s.n, s.k, ma, mb, c, s.n, Epilogue{})
						}
					})
				})
			})
		}
	}
}
