package speed

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// reference is the product that rates are compared with: 1024 × 1024 × 1024.
var reference = Shape{1024, 1024, 1024}

// openReference makes the reference product of an engine.
func openReference(backend compute.Backend, c Case) (*Job, error) {
	return openProduct(backend, Case{Engine: c.Engine, Threads: c.Threads, Shape: reference})
}

// openKernel makes a product of simd's kernel. In float32 it packs the right matrix in each run, into memory that is
// there: what other libraries' products do. In bf16 and int8, which are for weights, the right matrix is packed before.
func openKernel(c Case) (*Job, error) {
	pool := work.NewPool(c.Threads)
	run, err := multiply(pool, c, make([]float32, c.Shape.M*c.Shape.N))
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &Job{Run: func() error { run(); return nil }, Close: pool.Close}, nil
}

// multiply gives a function that computes the product of a case.
func multiply(pool *work.Pool, c Case, out []float32) (run func(), err error) {
	s := c.Shape
	a := tile.Matrix{Data: Noise(s.M * s.K), Stride: s.K}
	b := tile.Matrix{Data: Noise(s.K * s.N), Stride: s.N}
	f := gemm.Computed(engine.FormatOf(c.Precision))
	if f == tile.Float32 {
		return func() { gemm.Product{M: s.M, N: s.N, K: s.K, A: a, B: b, C: out, LDC: s.N}.Run(pool) }, nil
	}
	packed := gemm.Pack(pool, f, s.K, s.N, b)
	if packed.Format() != f {
		return nil, fmt.Errorf("the right matrix stays in %s: %s would lose too much of it", packed.Format(), f)
	}
	return func() { gemm.Product{M: s.M, A: a, Packed: packed, C: out, LDC: s.N}.Run(pool) }, nil
}
