package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// Computed is the format in which products that are asked for in f are computed on this machine: f itself, or Float32
// where the instructions of BFloat16 exist and are slower than those of float32. On the one Intel CPU that was
// measured VDPBF16PS runs at half the rate of float32's multiply-adds, on AMD's Zen 4 and Zen 5 at about twice. So the
// first question measures it, for some microseconds. GROUPVIT_SIMD=avx512bf16 takes BFloat16 whatever is faster.
func Computed(f tile.Format) tile.Format {
	if f == tile.BFloat16 && level.Current() >= f.Level() && !roundingPays() {
		return tile.Float32
	}
	return f
}

// roundingPays reports whether microkernels of bfloat16 are faster than those of float32.
func roundingPays() bool {
	if pays, known := tile.AssumedPays(); known {
		return pays
	}
	return amx.Use() != nil || tile.PairsPay()
}
