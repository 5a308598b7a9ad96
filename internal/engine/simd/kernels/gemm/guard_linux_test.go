package gemm

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

func TestProtectedPageProducts(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		g := kerneltest.Guard(t, kerneltest.Generator(52))
		for range 150 {
			m, n, k := 1+g.R.IntN(20), 1+g.R.IntN(40), 1+g.R.IntN(20)
			a, b := tile.Matrix{Data: g.Slice(m * k), Stride: k}, tile.Matrix{Data: g.Slice(k * n), Stride: n}
			if g.R.IntN(2) == 0 {
				a.Stride, a.Transposed = m, true
			}
			if g.R.IntN(2) == 0 {
				b.Stride, b.Transposed = k, true
			}
			e := Epilogue{Bias: g.Slice(n), Residual: g.Slice(m * n), Activation: vector.Activation(g.R.IntN(4)), Accumulate: g.R.IntN(2) == 0}
			multiply(nil, m, n, k, a, b, g.Slice(m*n), n, e)
			multiplyPacked(nil, m, a, PackB(nil, k, n, b), g.Slice(m*n), n, e)
		}
	})
}

func TestProtectedPageNarrow(t *testing.T) {
	onEachNarrow(t, func(t *testing.T, format tile.Format) {
		g := kerneltest.Guard(t, kerneltest.Generator(74))
		for range 150 {
			p := randomNarrow(g.R, format)
			p.run(t, g.Slice, nil)
		}
	})
}

func TestProtectedPageAMX(t *testing.T) {
	onTiles(t, amx.Model)
	g := kerneltest.Guard(t, kerneltest.Generator(94))
	for range 100 {
		randomNarrow(g.R, tile.BFloat16).run(t, g.Slice, nil)
		randomNarrow(g.R, tile.Int8).run(t, g.Slice, nil)
	}
}
