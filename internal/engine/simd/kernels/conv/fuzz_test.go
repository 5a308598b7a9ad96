package conv

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// FuzzConv does the same for convolutions and their gradients.
func FuzzConv(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(99))
	f.Fuzz(func(t *testing.T, seed uint64) {
		c := randomConv(kerneltest.Generator(seed))
		for l := level.Off; l <= level.Best(); l++ {
			undo := level.Force(l)
			checkConv(t, c, kerneltest.Generator(seed+1), nil)
			undo()
		}
	})
}
