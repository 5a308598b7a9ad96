package gemm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// onTiles runs the products of the test by tiles that the model computes: it drives the blocking on any machine.
func onTiles(t *testing.T, run amx.Runner) {
	t.Helper()
	t.Cleanup(amx.Assume(run))
}

// Products by tiles against float64, every layout, epilogue and size of edges, and a protected page behind every operand
// in amx_guard_linux_test.go.
func TestGemmAMX(t *testing.T) {
	onTiles(t, amx.Model)
	r := kerneltest.Generator(91)
	for range 150 {
		randomNarrow(r, tile.BFloat16).run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
	}
	for _, size := range [][3]int{{1, 32, 16}, {16, 64, 512}, {17, 96, 513}, {33, 65, 1100}, {300, 40, 70}, {270, 33, 1030}} {
		c := narrowCase{format: tile.BFloat16, m: size[0], n: size[1], k: size[2], bias: true, act: vector.ReLU}
		c.run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
	}
}

// Whatever the threads and however rows fall into blocks, a product by tiles has the same bits.
func TestGemmAMXThreads(t *testing.T) {
	onTiles(t, amx.Model)
	r := kerneltest.Generator(92)
	const m, n, k = 530, 200, 700
	a, b := tile.Matrix{Data: kerneltest.Draw(r, m*k), Stride: k}, Pack(nil, tile.BFloat16, k, n, tile.Matrix{Data: kerneltest.Draw(r, k*n), Stride: n})
	var first []float32
	for _, threads := range []int{1, 2, 5} {
		pool, c := work.NewPool(threads), make([]float32, m*n)
		multiplyPacked(pool, m, a, b, c, n, Epilogue{})
		pool.Close()
		if first == nil {
			first = c
		}
		kerneltest.SameBits(t, fmt.Sprint(threads, " threads"), c, first)
	}
	for _, rows := range []int{1, 7, 16, 23, 32, 48} {
		c := make([]float32, rows*n)
		multiplyPacked(nil, rows, a, b, c, n, Epilogue{})
		kerneltest.SameBits(t, fmt.Sprint(rows, " rows"), c, first[:rows*n])
	}
}

// Products of changing operands, as in training, go by tiles too, in both transpositions.
func TestGemmBF16ByTiles(t *testing.T) {
	onTiles(t, amx.Model)
	if level.Current() < level.AVX512BF16 {
		t.Skip("rounds by packing on this CPU: see TestGemmAMX")
	}
	r := kerneltest.Generator(93)
	for layout := range 4 {
		k := narrowCase{format: tile.BFloat16, m: 70, n: 90, k: 75, ta: layout&1 != 0, tb: layout&2 != 0, extra: 3, bias: true, act: vector.ReLU}
		a, b, c, e := k.operands(func(n int) []float32 { return kerneltest.Draw(r, n) })
		want := slices.Clone(c)
		multiplyPacked(nil, k.m, a, Pack(nil, tile.BFloat16, k.k, k.n, b), want, k.n+k.extra, e)
		multiplyRounded(nil, k.m, k.n, k.k, a, b, c, k.n+k.extra, e)
		if !slices.Equal(c, want) {
			t.Errorf("layout %d: another product than with a packed operand", layout)
		}
	}
}
