package gemm

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// The products of each level over microkernels in plain Go.
func TestBlockingOfEveryLevel(t *testing.T) {
	if level.Best() == level.Off {
		t.Skip("needs AVX2 around the microkernels")
	}
	for l := level.AVX2; l <= level.AVX512; l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer tile.Plain(l)()
			r := kerneltest.Generator(62)
			for i := range 60 {
				p := productCase{batch: 1 + r.IntN(2), m: 1 + r.IntN(60), n: 1 + r.IntN(80), k: 1 + r.IntN(30), ta: r.IntN(2) == 0, tb: r.IntN(2) == 0,
					extra: r.IntN(4), accumulate: r.IntN(2) == 0, bias: r.IntN(2) == 0, residual: r.IntN(2) == 0, act: vector.Activation(r.IntN(4)), packed: r.IntN(2) == 0}
				if i == 0 {
					p.k = 400
				}
				p.run(t, r, nil)
			}
		})
	}
}
