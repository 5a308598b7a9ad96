package speed

import (
	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels"
)

// reference is the product that rates are compared with: 1024 × 1024 × 1024.
var reference = Shape{1024, 1024, 1024}

// openReference makes the reference product of an engine: for simd its kernel
// alone, without a graph around it; for others a graph on that engine.
func openReference(backend compute.Backend, c Case) (*Job, error) {
	if c.Engine != engine.SIMD {
		return openProduct(backend, Case{Shape: reference})
	}
	s := reference
	pool := kernels.NewPool(c.Threads)
	a := kernels.Matrix{Data: Noise(s.M * s.K), Stride: s.K}
	b := kernels.Matrix{Data: Noise(s.K * s.N), Stride: s.N}
	out := make([]float32, s.M*s.N)
	return &Job{
		Run: func() error {
			kernels.Gemm(pool, s.M, s.N, s.K, a, b, out, s.N, kernels.Epilogue{})
			return nil
		},
		Close: pool.Close,
	}, nil
}
