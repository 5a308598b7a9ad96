package gemm

import (
	"fmt"
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// narrowCase is one product with a packed operand of a narrow format.
type narrowCase struct {
	format         tile.Format
	m, n, k        int
	ta, tb         bool
	extra          int
	accumulate     bool
	bias, residual bool
	residualInC    bool
	act            vector.Activation
	alpha          float32
}

// operands draws the matrices of the case by slice, which makes memory.
func (p narrowCase) operands(slice func(n int) []float32) (a, b tile.Matrix, c []float32, e Epilogue) {
	matrix := func(rows, cols int, tr bool) tile.Matrix {
		if tr {
			rows, cols = cols, rows
		}
		return tile.Matrix{Data: slice((rows-1)*(cols+p.extra) + cols), Stride: cols + p.extra, Transposed: tr}
	}
	a, b = matrix(p.m, p.k, p.ta), matrix(p.k, p.n, p.tb)
	c = slice((p.m-1)*(p.n+p.extra) + p.n)
	e = Epilogue{Alpha: p.alpha, Accumulate: p.accumulate, Activation: p.act}
	if p.bias {
		e.Bias = slice(p.n)
	}
	if p.residual {
		e.Residual = slice(len(c))
	}
	if p.residualInC {
		e.Residual = c
	}
	return a, b, c, e
}

func randomNarrow(r interface{ IntN(int) int }, f tile.Format) narrowCase {
	size := func() int {
		switch r.IntN(4) {
		case 0:
			return 1 + r.IntN(4)
		case 1:
			return 8 * (1 + r.IntN(12))
		}
		return 1 + r.IntN(100)
	}
	p := narrowCase{format: f, m: size(), n: size(), k: size(), ta: r.IntN(3) == 0, tb: r.IntN(2) == 0, extra: r.IntN(2) * r.IntN(20),
		accumulate: r.IntN(3) == 0, bias: r.IntN(2) == 0, residual: r.IntN(4) == 0, act: vector.Activation(r.IntN(4))}
	if r.IntN(3) == 0 {
		p.alpha = 0.37
	}
	p.residualInC = !p.accumulate && !p.residual && r.IntN(6) == 0
	return p
}

// rounded is a matrix after rounding to bfloat16, everything else of its memory too.
func rounded(x tile.Matrix) tile.Matrix {
	y := make([]float32, len(x.Data))
	for i, v := range x.Data {
		y[i] = tile.FromBF16(tile.ToBF16(v))
	}
	x.Data = y
	return x
}

// inBytes is a left operand after rounding to bytes.
func inBytes(m, k int, x tile.Matrix) tile.Matrix {
	y, row, bytes := tile.Matrix{Data: make([]float32, m*k), Stride: k}, make([]float32, k), make([]uint32, tile.Int8Words(k))
	for i := range m {
		for q := range row {
			row[q] = x.At(i, q)
		}
		tile.RoundBytes(bytes, row, false)
		tile.WidenBytes(y.Data[i*k:][:k], bytes)
	}
	return y
}

// onEachNarrow runs a test with each narrow format on every level that this machine has.
func onEachNarrow(t *testing.T, f func(t *testing.T, format tile.Format)) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		for _, format := range []tile.Format{tile.BFloat16, tile.Int8} {
			t.Run(format.String(), func(t *testing.T) { f(t, format) })
		}
	})
}

// run compares the product with the exact one of the operands that the format makes of the given ones.
func (p narrowCase) run(t *testing.T, slice func(n int) []float32, pool *work.Pool) []float32 {
	t.Helper()
	a, b, c, e := p.operands(slice)
	given := a
	w := Pack(pool, p.format, p.k, p.n, b)
	if w.Format() != p.format {
		t.Fatalf("%+v: the operand is in %v", p, w.Format())
	}
	like := productCase{batch: 1, m: p.m, n: p.n, k: p.k}
	if p.format == tile.Int8 {
		a, b = inBytes(p.m, p.k, a), w.unpackInt8()
	} else {
		a, b = rounded(a), rounded(b)
	}
	want, bound, rest := like.exact(a, 0, b, 0, c, p.n+p.extra, 0, e)
	multiplyPacked(pool, p.m, given, w, c, p.n+p.extra, e)
	kerneltest.CloseTo(t, fmt.Sprintf("%+v", p), c, want, func(i int) float64 {
		if rest[i] {
			return 0
		}
		return bound[i]
	})
	return c
}

func TestGemmNarrow(t *testing.T) {
	pool := work.NewPool(3)
	defer pool.Close()
	onEachNarrow(t, func(t *testing.T, format tile.Format) {
		r := kerneltest.Generator(71)
		for i := range 120 {
			p := randomNarrow(r, format)
			switch {
			case i%20 == 0: // beyond one block of each axis, split among threads
				p.m, p.n, p.k = 97+r.IntN(8), 1+r.IntN(20), 760+r.IntN(40)
				if format == tile.Int8 {
					p.k *= 2
				}
			case i%20 == 1:
				p.m = 1
			case i%20 == 2:
				p.n = 1
			case i%20 == 3:
				p.k = 1
			}
			p.run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, pool)
		}
	})
}

func TestGemmNarrowThreads(t *testing.T) {
	onEachNarrow(t, func(t *testing.T, format tile.Format) {
		for _, p := range []narrowCase{
			{m: 200, n: 130, k: 390, bias: true, act: vector.GELU, residual: true},
			{m: 200, n: 20, k: 1601, ta: true},
			{m: 13, n: 400, k: 384, tb: true},
		} {
			p.format = format
			if kerneltest.RaceDetector {
				p.n, p.k = min(p.n, 70), min(p.k, 399)
			}
			var first []float32
			for _, threads := range []int{1, 2, 7} {
				pool, r := work.NewPool(threads), kerneltest.Generator(72)
				c := p.run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, pool)
				pool.Close()
				if first == nil {
					first = c
				}
				kerneltest.SameBits(t, fmt.Sprint(p, threads), first, c)
			}
		}
	})
}

func TestGemmNarrowNaN(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		const n = 37
		a, b, c := []float32{inf, 1, nan, 1, 1, 1}, make([]float32, 2*n), make([]float32, 3*n)
		for i := range b {
			b[i] = float32(i%3) - 1
		}
		w := Pack(nil, tile.BFloat16, 2, n, tile.Matrix{Data: b, Stride: n})
		multiplyPacked(nil, 3, tile.Matrix{Data: a, Stride: 2}, w, c, n, Epilogue{Activation: vector.ReLU})
		for j := range n {
			x := float64(inf)*float64(b[j]) + float64(b[n+j])
			want := max(x, 0)
			if g := float64(c[j]); g != want && !(math.IsNaN(g) && math.IsNaN(want)) {
				t.Errorf("column %d: %v, not %v", j, g, want)
			}
			if g := c[n+j]; g == g {
				t.Errorf("ReLU of NaN is %v", g)
			}
			if g, want := c[2*n+j], max(b[j]+b[n+j], 0); g != want {
				t.Errorf("column %d beside NaN: %v, not %v", j, g, want)
			}
		}
	})
}

func TestGemmNarrowEmpty(t *testing.T) {
	onEachNarrow(t, func(t *testing.T, format tile.Format) {
		c := []float32{5, 6}
		w := Pack(nil, format, 0, 2, tile.Matrix{Stride: 2})
		multiplyPacked(nil, 1, tile.Matrix{}, w, c, 2, Epilogue{Accumulate: true, Bias: []float32{1, 2}})
		if c[0] != 6 || c[1] != 8 {
			t.Errorf("an empty sum with C and bias gives %v", c)
		}
		multiplyPacked(nil, 0, tile.Matrix{Stride: 3}, Pack(nil, format, 3, 2, tile.Matrix{Data: make([]float32, 6), Stride: 2}), nil, 2, Epilogue{})
	})
}

func FuzzGemmNarrow(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(77))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for l := level.Off; l <= level.Best(); l++ {
			undo := level.Force(l)
			for _, format := range []tile.Format{tile.BFloat16, tile.Int8} {
				r := kerneltest.Generator(seed)
				randomNarrow(r, format).run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
			}
			undo()
		}
	})
}

// BenchmarkGemmNarrow shows the formats in turn on the shapes of the image tower.
func BenchmarkGemmNarrow(b *testing.B) {
	for _, s := range []struct{ m, k, n int }{{1024, 1024, 1024}, {260, 384, 1536}, {260, 1536, 384}, {196, 384, 384}} {
		for f := tile.Float32; f <= tile.Int8; f++ {
			b.Run(fmt.Sprintf("%dx%dx%d/%v", s.m, s.k, s.n, f), func(b *testing.B) {
				if level.Current() < f.Level() {
					b.Skip("no instructions for it")
				}
				r := kerneltest.Generator(1)
				x, y, c := kerneltest.Draw(r, s.m*s.k), kerneltest.Draw(r, s.k*s.n), make([]float32, s.m*s.n)
				w := Pack(nil, f, s.k, s.n, tile.Matrix{Data: y, Stride: s.n})
				for b.Loop() {
					multiplyPacked(nil, s.m, tile.Matrix{Data: x, Stride: s.k}, w, c, s.n, Epilogue{})
				}
				kerneltest.Gflops(b, 2*float64(s.m*s.n*s.k))
			})
		}
	}
}
