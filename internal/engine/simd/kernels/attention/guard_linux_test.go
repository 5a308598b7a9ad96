package attention

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
)

func TestProtectedPageRoundedAttention(t *testing.T) {
	kerneltest.NeedBF16(t)
	g := kerneltest.Guard(t, kerneltest.Generator(75))
	for range 60 {
		checkRounded(t, randomAttention(g.R), g.Slice, nil)
	}
}

func TestProtectedPageAttention(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		g := kerneltest.Guard(t, kerneltest.Generator(55))
		for range 40 {
			s := Attention{Batch: 1 + g.R.IntN(2), Heads: 1 + g.R.IntN(2), Queries: 1 + g.R.IntN(20), Keys: 1 + g.R.IntN(20), Width: 1 + g.R.IntN(20), Layout: Layout(g.R.IntN(2))}
			n := s.Batch * s.Heads * s.Width
			q, k, v, o := g.Slice(n*s.Queries), g.Slice(n*s.Keys), g.Slice(n*s.Keys), g.Slice(n*s.Queries)
			lse := g.Slice(s.Batch * s.Heads * s.Queries)
			s.Forward(nil, o, lse, q, k, v)
			s.Grad(nil, g.Slice(len(q)), g.Slice(len(k)), g.Slice(len(v)), q, k, v, o, lse, o)
		}
	})
}
