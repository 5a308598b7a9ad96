package gemm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Products of bytes by tiles against float64, in every layout, epilogue and size of edges, also with several blocks of
// terms; a protected page behind every operand is in guard_linux_test.go.
func TestInt8ByTiles(t *testing.T) {
	onTiles(t, amx.Model)
	r := kerneltest.Generator(101)
	draw := func(n int) []float32 { return kerneltest.Draw(r, n) }
	for range 100 {
		randomNarrow(r, tile.Int8).run(t, draw, nil)
	}
	for _, size := range [][3]int{{1, 32, 4}, {16, 64, 64}, {17, 96, 65}, {33, 65, 1528}, {40, 40, 1529}, {270, 33, 70}, {5, 7, 3200}} {
		narrowCase{format: tile.Int8, m: size[0], n: size[1], k: size[2], bias: true, act: 3}.run(t, draw, nil)
	}
}

// They have the bits of the other levels, on any number of threads, and where a row or a column is not finite.
func TestInt8BitsByTiles(t *testing.T) {
	r := kerneltest.Generator(102)
	draw := func(n int) []float32 { return kerneltest.Draw(r, n) }
	if tile.Int8.Level() > levelInUse() {
		t.Skip("no vector instructions for int8 to compare with")
	}
	for i := range 40 {
		k := randomNarrow(r, tile.Int8)
		if i%8 == 0 {
			k.m, k.n, k.k = 300+r.IntN(40), 70+r.IntN(30), 1500+r.IntN(200)
		}
		a, b, c, e := k.operands(draw)
		if i%5 == 4 {
			a.Data[r.IntN(len(a.Data))] = float32(math.Inf(1))
		}
		w := Pack(nil, tile.Int8, k.k, k.n, b)
		product := func(pool *work.Pool, run amx.Runner) []float32 {
			defer amx.Assume(run)()
			out, e := slices.Clone(c), e
			if k.residualInC {
				e.Residual = out
			}
			multiplyPacked(pool, k.m, a, w, out, k.n+k.extra, e)
			return out
		}
		want := product(nil, nil)
		for _, threads := range []int{1, 3} {
			pool := work.NewPool(threads)
			got := product(pool, amx.Model)
			pool.Close()
			kerneltest.SameBits(t, fmt.Sprintf("%+v on %d threads", k, threads), got, want)
		}
	}
}

// levelInUse is what products without tiles run on.
func levelInUse() level.Level { return min(level.Current(), level.AVX512BF16) }
