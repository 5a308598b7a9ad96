package attention

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// The attention of each level over microkernels in plain Go.
func TestAttentionBlockingOfEveryLevel(t *testing.T) {
	if level.Best() == level.Off {
		t.Skip("needs AVX2 around the microkernels")
	}
	for l := level.AVX2; l <= level.AVX512; l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer tile.Plain(l)()
			r := kerneltest.Generator(62)
			for range 20 {
				checkAttention(t, Attention{Batch: 1, Heads: 2, Queries: 1 + r.IntN(40), Keys: 1 + r.IntN(40), Width: 1 + r.IntN(40), Layout: BSHD}, r, nil)
			}
		})
	}
}
