package engine

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// Precisions of products with constant weights, as in --precision and GROUPVIT_PRECISION. In bf16 and int8 attention
// rounds the operands of its products to bfloat16 too, where the CPU has AVX512-BF16. Everything else (softmax, norms,
// sums) is float32 in all of them, and so is bf16 where its instructions are slower than float32's: see Computed.
const (
	Float32 = "float32"
	BF16    = "bf16"
	Int8    = "int8"
)

// AutoPrecision leaves the choice to whoever opens a model: the fastest precision whose masks are those of float32. It
// takes trained weights to decide that, so an engine that New makes without them is in float32.
const AutoPrecision = "auto"

// EnvPrecision is the environment variable that names the precision where Options.Precision is empty.
const EnvPrecision = "GROUPVIT_PRECISION"

// formats of the weights by precision.
var formats = map[string]tile.Format{Float32: tile.Float32, BF16: tile.BFloat16, Int8: tile.Int8}

// precisionNames are all, most exact first.
var precisionNames = []string{Float32, BF16, Int8}

// Precisions returns those that the engine simd has instructions for on this machine. Other engines have float32.
func Precisions() []string {
	names := []string{Float32}
	for _, name := range precisionNames[1:] {
		if simd.Supported() && simd.Instructions() >= formats[name].Level() {
			names = append(names, name)
		}
	}
	return names
}

// Computed names the precision in which the engine simd computes what is asked for in a precision: float32 instead of
// bf16 on a CPU whose instructions for bf16 are slower than those for float32. Products of int8 stay what they are.
func Computed(precision string) string { return gemm.Computed(formats[precision]).String() }

// Fastest returns the precisions that are faster than float32 on the engine simd of this machine, the fastest first: the
// ones whose rows in docs/performance.md are. The order is fixed for a level of instructions, so that a choice
// among them is the same in each run; whether bf16 pays at all is measured (Computed).
func Fastest() []string {
	order := []string{Int8, BF16}
	if amx.Use() != nil && amx.UseBytes() == nil {
		order = []string{BF16, Int8} // by tiles; bytes go by VNNI
	}
	var names []string
	for _, name := range order {
		if slices.Contains(Precisions(), name) && Computed(name) == name {
			names = append(names, name)
		}
	}
	return names
}

// AsksForAuto reports whether o asks for AutoPrecision, by itself or by the environment.
func (o Options) AsksForAuto() bool {
	return o.Precision == AutoPrecision || o.Precision == "" && os.Getenv(EnvPrecision) == AutoPrecision
}

// FormatOf is the format of operands in a precision; that of an unknown one is float32.
func FormatOf(precision string) tile.Format { return formats[precision] }

// Rounds reports whether an engine that New made decides by itself about rounding large products of training to bfloat16.
// Of others the graph must ask for it.
func Rounds(b compute.Backend) bool {
	s, ok := b.(*simd.Backend)
	return ok && s.DecidesRounding()
}

// Instructions names the vector instructions that the engine simd uses on this machine: off, avx2, avx512 and so on.
func Instructions() string { return simd.Instructions().String() }

// InstructionsNote says why the best instructions that the CPU has are not used; "" where they are.
func InstructionsNote() string { return amx.Note() }

// precision reads what o asks for; kind is the engine.
func (o Options) precision(kind string) (tile.Format, error) {
	name, source := o.Precision, "--precision"
	if name == "" {
		name, source = os.Getenv(EnvPrecision), EnvPrecision
	}
	if name == "" {
		name = Float32
	}
	if name == AutoPrecision {
		name = Float32
	}
	f, known := formats[name]
	switch {
	case !known:
		return 0, fmt.Errorf("engine: %w: precision %q (from %s) is unknown: choose one of %s",
			ErrUnavailable, name, source, strings.Join(append([]string{AutoPrecision}, precisionNames...), ", "))
	case f == tile.BFloat16 && kind == XLA && o.Training: // the graph rounds
		return tile.Float32, nil
	case f != tile.Float32 && kind != SIMD:
		return 0, fmt.Errorf("engine: %w: precision %s (from %s) is for the engine simd (in training bf16 is for xla, too), not for %s: choose float32",
			ErrUnavailable, name, source, kind)
	case o.Training && f == tile.Int8:
		return 0, fmt.Errorf("engine: %w: precision %s (from %s) is for inference: train in float32 or bf16", ErrUnavailable, name, source)
	case simd.Instructions() < f.Level() && f != tile.Float32:
		return 0, fmt.Errorf("engine: %w: precision %s (from %s) needs a CPU with %s, this one has %s "+
			"(GROUPVIT_SIMD may lower it): choose float32", ErrUnavailable, name, source, f.Level(), simd.Instructions())
	}
	return f, nil
}
