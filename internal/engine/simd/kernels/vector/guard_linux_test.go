package vector

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
)

func TestProtectedPage(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		g := kerneltest.Guard(t, kerneltest.Generator(51))
		for n := 1; n < 40; n++ {
			x, y, z := g.Slice(n), g.Slice(n), g.Slice(n)
			for op := Neg; op <= Relu; op++ {
				Unary(nil, op, y, x)
			}
			for op := Add; op <= Min; op++ {
				Binary(nil, op, z, Whole(x), Whole(y), 1, n)
				Binary(nil, op, z, Whole(x), One(2), 1, n)
				Binary(nil, op, z, One(2), Whole(y), 1, n)
			}
			for op := Sum; op <= Minimum; op++ {
				Total(nil, op, x)
			}
			Dot(nil, x, y)
			for act := NoActivation; act <= ReLU; act++ {
				ActivationGrad(nil, act, z, x, y)
			}
			Softmax(nil, y, x, 1, n)
			SoftmaxGradRow(z, y, x, 1)
			mean, rstd := g.Slice(1), g.Slice(1)
			LayerNorm(nil, z, mean, rstd, x, y, x, 1, n, 1e-5)
			TransposeRows(g.Slice(9*n), g.Slice(9*n), n, 9, n, 9)
			TransposeRows(g.Slice(9*n), g.Slice(9*n), 9, n, 9, n)
		}
	})
}
