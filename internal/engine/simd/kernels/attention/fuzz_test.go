package attention

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// FuzzAttention compares attention and its gradient on every path with float64, shapes and options drawn.
func FuzzAttention(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(77))
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := randomAttention(kerneltest.Generator(seed))
		for l := level.Off; l <= level.Best(); l++ {
			undo := level.Force(l)
			checkAttention(t, s, kerneltest.Generator(seed+1), nil)
			undo()
		}
	})
}
