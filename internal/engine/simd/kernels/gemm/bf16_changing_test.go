package gemm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// A product that rounds both operands as it goes is, to the bit, that of a packed
// operand, which is compared with plain Go elsewhere; for every layout and size of
// edges.
func TestGemmBF16(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	slice := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	p := work.NewPool(2)
	for _, size := range [][3]int{{1, 1, 1}, {5, 33, 7}, {48, 64, 70}, {130, 97, 401}, {64, 31, 64}, {3, 95, 33}} {
		for layout := range 4 {
			m, n, k := size[0], size[1], size[2]
			t.Run(fmt.Sprintf("%dx%dx%d layout %d", m, n, k, layout), func(t *testing.T) {
				k := narrowCase{format: tile.BFloat16, m: m, n: n, k: k, ta: layout&1 != 0, tb: layout&2 != 0, extra: 3, bias: true, act: vector.ReLU}
				a, b, c, e := k.operands(slice)
				want := slices.Clone(c)
				multiplyPacked(p, k.m, a, Pack(p, tile.BFloat16, k.k, k.n, b), want, k.n+k.extra, e)
				multiplyRounded(p, k.m, k.n, k.k, a, b, c, k.n+k.extra, e)
				if !slices.Equal(c, want) {
					t.Error("another product than with a packed operand")
				}
			})
		}
	}
}

func BenchmarkGemmBF16(b *testing.B) {
	p := work.NewPool(1)
	for _, size := range [][3]int{{1568, 1536, 384}, {384, 1536, 1568}} { // forward; gradient of a weight
		m, n, k := size[0], size[1], size[2]
		x, y, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
		for _, bf16 := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dx%dx%d bf16 %v", m, n, k, bf16), func(b *testing.B) {
				for b.Loop() {
					if bf16 {
						multiplyRounded(p, m, n, k, tile.Matrix{Data: x, Stride: k}, tile.Matrix{Data: y, Stride: n}, c, n, Epilogue{})
					} else {
						multiply(p, m, n, k, tile.Matrix{Data: x, Stride: k}, tile.Matrix{Data: y, Stride: n}, c, n, Epilogue{})
					}
				}
				b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
