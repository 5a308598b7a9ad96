package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

func init() {
	level.Confirm(level.AVX512, func() bool { return sound(level.AVX512) })
	level.Confirm(level.AVX512VNNI, soundInt8)
	level.Confirm(level.AVX512BF16, soundBF16)
}

// sound compares a small product with the AVX2 kernels, which are tested wherever this is: a wrong
// result would be worse than a slower one. It takes microseconds.
func sound(l level.Level) bool {
	const m, n, k = 29, 56, 9 // full and partial blocks, both widths
	var a [m * k]float32
	var b [k * n]float32
	for i := range a {
		a[i] = float32(i*7%13) - 6
	}
	for i := range b {
		b[i] = float32(i*5%11) - 5
	}
	var c, want [m * n]float32
	g := Product{M: m, N: n, K: k, A: tile.Matrix{Data: a[:], Stride: k}, B: tile.Matrix{Data: b[:], Stride: n}, C: c[:], LDC: n, Batch: 1}
	g.runVector(nil, l)
	g.C = want[:]
	g.runVector(nil, level.AVX2)
	return c == want
}

// soundBF16 does the same with bfloat16, in numbers that it holds exactly.
func soundBF16() bool {
	return soundNarrow(tile.BFloat16, Product.vectorBF16, func(i int) float32 { return float32(i*7%13) - 6 }, func(i int) float32 { return float32(i*5%11) - 5 })
}

// soundInt8 does it with bytes: each row goes from 0 to 255, each column to ±127, so that every scale is 1.
func soundInt8() bool {
	return soundNarrow(tile.Int8, Product.vectorInt8, func(i int) float32 { return float32(i * 51 % 306) }, func(i int) float32 { return float32(i*127%381) - 127 })
}

// soundNarrow compares a product of a format, whose numbers hold the operands exactly, with that of float32.
func soundNarrow(f tile.Format, narrow func(Product, *work.Pool), fillA, fillB func(i int) float32) bool {
	const m, n, k = 29, 56, 67 // also a partial block of terms
	var a [m * k]float32
	var b [k * n]float32
	for i := range a {
		a[i] = fillA(i)
	}
	for i := range b {
		b[i] = fillB(i)
	}
	var c, want [m * n]float32
	g := Product{M: m, N: n, K: k, A: tile.Matrix{Data: a[:], Stride: k}, B: tile.Matrix{Data: b[:], Stride: n}, C: want[:], LDC: n, Batch: 1}
	g.runVector(nil, level.AVX2)
	g.C, g.Packed = c[:], Pack(nil, f, k, n, g.B)
	if g.Packed.format != f {
		return false
	}
	narrow(g, nil)
	return c == want
}
