package simd

import (
	"fmt"
	"runtime"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"

	"github.com/gomlx/compute"
	"github.com/groupvit/groupvit/internal/engine/plain"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Name of the backend.
const Name = "simd"

// Options of the backend.
type Options struct {
	// Threads is the number of threads one execution uses; 0 means all (GOMAXPROCS).
	Threads int
	// Weights is the format of constant right operands of products; the CPU must have its instructions. Where these are
	// slower than those of float32 (see gemm.Computed) the backend keeps float32.
	Weights tile.Format
}

// Supported reports whether this machine has what the backend needs: vector instructions that the kernels know, and
// that GROUPVIT_SIMD does not switch off.
func Supported() bool { return level.Current() != level.Off }

// Instructions are the vector instructions in use.
func Instructions() level.Level { return level.Current() }

// New makes the backend. It works on every machine, if slowly where [Supported] is false.
func New(o Options) (compute.Backend, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if need := o.Weights.Level(); level.Current() < need {
		return nil, fmt.Errorf("weights in %s need %s, this CPU has %s", o.Weights, need, level.Current())
	}
	inner, err := plain.New(o.Threads)
	if err != nil {
		return nil, fmt.Errorf("make the plain backend for what has no kernel: %w", err)
	}
	return &Backend{Backend: inner, pool: work.NewPool(o.Threads), weights: gemm.Computed(o.Weights)}, nil
}

// Backend implements compute.Backend. The embedded plain Go backend answers what is the same in both: the number of
// devices, whether it is finalized.
type Backend struct {
	compute.Backend
	pool    *work.Pool
	weights tile.Format // of constant right operands of products
	asked   bool        // RoundProducts was called
	rounded bool        // large products and convolutions of changing operands are in bfloat16
	arenas  arenas
	shared  shared
	profile profile
}

var _ compute.Backend = (*Backend)(nil)

// Name implements compute.Backend.
func (b *Backend) Name() string { return Name }

// String implements compute.Backend.
func (b *Backend) String() string { return Name }

// Description implements compute.Backend: it says which instructions are in use.
func (b *Backend) Description() string {
	return fmt.Sprintf("vector kernels (%s, weights in %s, %d threads), plain Go for the rest", level.Current(), b.weights, b.pool.Threads())
}

// Weights is the format of constant right operands of products.
func (b *Backend) Weights() tile.Format { return b.weights }

// RoundProducts makes large products and convolutions of operands that change from call to call, as in training,
// round both to bfloat16, where that is faster than float32; sums stay in float32. It holds for what is compiled from
// then on; the CPU must have AVX512-BF16.
func (b *Backend) RoundProducts() error {
	if need := tile.BFloat16.Level(); level.Current() < need {
		return fmt.Errorf("products in %s need %s, this CPU has %s", tile.BFloat16, need, level.Current())
	}
	b.asked, b.rounded = true, gemm.Computed(tile.BFloat16) == tile.BFloat16
	return nil
}

// DecidesRounding reports whether RoundProducts was called: rounding, or not, is then this backend's own business.
func (b *Backend) DecidesRounding() bool { return b.asked }

// Capabilities implements compute.Backend: those of the plain Go backend, without functions, control flow and
// dynamic shapes, with fused attention and its gradient.
func (b *Backend) Capabilities() compute.Capabilities {
	c := b.Backend.Capabilities().Clone()
	c.DynamicAxes, c.Functions = false, false
	for _, op := range []compute.OpType{
		compute.OpTypeCall, compute.OpTypeIf, compute.OpTypeWhile, compute.OpTypeSort,
		compute.OpTypeDynamicDimensionSize, compute.OpTypeDynamicShape, compute.OpTypeDynamicReshape,
	} {
		delete(c.Operations, op)
	}
	c.Operations[compute.OpTypeFusedScaledDotProductAttention] = true
	c.Operations[compute.OpTypeFusedScaledDotProductAttentionVJP] = true
	return c
}

// Builder implements compute.Backend.
func (b *Backend) Builder(name string) compute.Builder { return newBuilder(b, name) }

// Finalize implements compute.Backend: it ends the threads and lets go of the memory. No execution may be going on.
func (b *Backend) Finalize() {
	if b.IsFinalized() {
		return
	}
	b.Backend.Finalize()
	b.pool.Close()
	b.arenas.drop()
}
