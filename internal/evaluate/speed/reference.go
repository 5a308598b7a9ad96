package speed

import (
	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels"
)

// reference is the product that rates are compared with: 1024 × 1024 × 1024.
var reference = Shape{1024, 1024, 1024}

// openReference makes the reference product of an engine.
func openReference(backend compute.Backend, c Case) (*Job, error) {
	return openProduct(backend, Case{Engine: c.Engine, Threads: c.Threads, Shape: reference})
}

// openKernel makes a product of simd's kernel, which packs the right matrix in each run, into
// memory that is there: what other libraries' products do.
func openKernel(threads int, s Shape) (*Job, error) {
	pool := kernels.NewPool(threads)
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
