package conv

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

func TestProtectedPagePackedConv(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		g := kerneltest.Guard(t, kerneltest.Generator(53))
		for range 60 {
			randomPacked(g.R).run(t, g.Slice, nil)
		}
	})
}

func TestProtectedPageConv(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		g := kerneltest.Guard(t, kerneltest.Generator(54))
		for range 40 {
			c := randomConv(g.R)
			h, v := c.Output()
			x, w, y := g.Slice(c.Batch*c.Height*c.Width*c.In), g.Slice(c.KernelH*c.KernelW*c.In*c.Out), g.Slice(c.Batch*h*v*c.Out)
			c.Forward(nil, y, x, w, g.Slice(c.Out), vector.GELU)
			c.GradInput(nil, x, w, y)
			c.GradKernel(nil, w, x, y)
		}
	})
}
