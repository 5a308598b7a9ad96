package conv

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// The convolutions of each level over microkernels in plain Go.
func TestConvBlockingOfEveryLevel(t *testing.T) {
	if level.Best() == level.Off {
		t.Skip("needs AVX2 around the microkernels")
	}
	for l := level.AVX2; l <= level.AVX512; l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer tile.Plain(l)()
			r := kerneltest.Generator(62)
			for range 20 {
				checkConv(t, randomConv(r), r, nil)
			}
		})
	}
}
