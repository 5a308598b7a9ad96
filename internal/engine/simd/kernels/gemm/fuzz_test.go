package gemm

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// FuzzGemm compares the vector paths with plain Go on shapes, strides and options drawn by the fuzzer.
func FuzzGemm(f *testing.F) {
	f.Add(uint8(7), uint8(17), uint8(5), uint16(0), uint64(1))
	f.Add(uint8(13), uint8(8), uint8(64), uint16(0x3ff), uint64(2))
	f.Add(uint8(1), uint8(1), uint8(1), uint16(0x155), uint64(3))
	f.Fuzz(func(t *testing.T, m, n, k uint8, options uint16, seed uint64) {
		bit := func(i int) bool { return options>>i&1 != 0 }
		p := productCase{batch: 1, m: int(m%96) + 1, n: int(n%96) + 1, k: int(k) + 1, ta: bit(0), tb: bit(1), bias: bit(2),
			accumulate: bit(3), residual: bit(4), act: vector.Activation(options >> 5 & 3), packed: bit(7), extra: int(options >> 8 & 7)}
		if bit(11) {
			p.batch, p.packed, p.shareA = 3, false, bit(12)
		}
		for l := level.Off; l <= level.Best(); l++ {
			undo := level.Force(l)
			p.run(t, kerneltest.Generator(seed), nil)
			undo()
		}
	})
}
