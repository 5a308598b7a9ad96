// Package engine chooses the compute engine that runs a GoMLX graph.
//
//   - simd: our own backend with vector kernels (internal/engine/simd); needs amd64 with AVX2 and FMA, or arm64.
//   - go: GoMLX's plain Go backend; runs everywhere, the reference for correctness.
//   - xla: XLA through PJRT plugins, for GPUs; only in binaries built with `-tags xla`.
package engine

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/groupvit/groupvit/internal/engine/plain"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// Names of the engines, as in --engine and GROUPVIT_ENGINE.
const (
	Auto = "auto"
	SIMD = "simd"
	Go   = "go"
	XLA  = "xla"
)

// EnvKind is the environment variable that names the engine where Options.Kind is empty.
const EnvKind = "GROUPVIT_ENGINE"

// maxThreads caps Options.Threads: more is surely a mistake.
const maxThreads = 4096

// ErrUnavailable is wrapped by New when the engine asked for does not exist here.
var ErrUnavailable = errors.New("engine not available")

// Options says which engine to make.
type Options struct {
	// Kind is auto, simd, go or xla; xla takes a plugin and options after a colon, as in "xla:cuda".
	// Empty means the environment variable GROUPVIT_ENGINE, and auto without it.
	Kind string
	// Threads is the number of threads one computation uses; 0 means all of the machine's (GOMAXPROCS).
	// It is a limit on the arithmetic, not on the program. XLA ignores it.
	Threads int
	// Precision of products with constant weights, that is in inference: float32, or bf16 or int8, which are
	// faster and round both operands; they need the engine simd, bf16 also a CPU with AVX512-BF16, int8 one with AVX2. In
	// int8, weights that lose much by it stay in float32. Empty means the environment variable
	// GROUPVIT_PRECISION, and float32 without it. AutoPrecision is for whoever opens a model; New takes it as float32.
	Precision string
	// Training makes Precision hold for all large products, those of changing operands too: float32 or bf16. The
	// engine xla then has bf16 if the graph asks for it: see Rounds.
	Training bool
}

// builders of the engines; engine_xla.go adds xla under its build tag.
var builders = map[string]func(config string, threads int, weights tile.Format) (compute.Backend, error){
	Go: func(_ string, threads int, _ tile.Format) (compute.Backend, error) { return plain.New(threads) },
	SIMD: func(_ string, threads int, weights tile.Format) (compute.Backend, error) {
		return simd.New(simd.Options{Threads: threads, Weights: weights})
	},
}

// Available returns the engines that New can make on this machine, best first.
func Available() []string {
	var kinds []string
	if simd.Supported() {
		kinds = append(kinds, SIMD)
	}
	kinds = append(kinds, Go)
	if _, ok := builders[XLA]; ok {
		kinds = append(kinds, XLA)
	}
	return kinds
}

// PrecisionOf names the precision in which an engine that New made multiplies by constant weights, which may be float32
// where bf16 was asked for: see Computed.
func PrecisionOf(b compute.Backend) string {
	if s, ok := b.(*simd.Backend); ok {
		return s.Weights().String()
	}
	return Float32
}

// New makes the engine that o describes. Auto takes simd where the CPU has what it needs, else go.
//
// The error wraps ErrUnavailable if the engine or the precision is unknown, not in this binary, or not for this CPU.
func New(o Options) (compute.Backend, error) {
	kind, source := o.Kind, "--engine"
	if kind == "" {
		kind, source = os.Getenv(EnvKind), EnvKind
	}
	if kind == "" {
		kind = Auto
	}
	kind, config, _ := strings.Cut(kind, ":")
	if o.Threads < 0 || o.Threads > maxThreads {
		return nil, fmt.Errorf("engine: %d threads asked for: give 0 (all) to %d", o.Threads, maxThreads)
	}
	if kind == Auto {
		kind = Available()[0]
	}
	build, known := builders[kind]
	if !known && kind == XLA {
		return nil, fmt.Errorf("engine: %w: %q is not in this binary: build with -tags xla and cgo", ErrUnavailable, kind)
	}
	if !known {
		return nil, fmt.Errorf("engine: %w: %q (from %s) is unknown: choose one of auto, %s",
			ErrUnavailable, kind, source, strings.Join(Available(), ", "))
	}
	if kind == SIMD && !slices.Contains(Available(), SIMD) {
		return nil, fmt.Errorf("engine: %w: simd needs an amd64 CPU with AVX2 and FMA, or an arm64 one (and GROUPVIT_SIMD not off): "+
			"choose --engine go", ErrUnavailable)
	}
	if config != "" && kind != XLA {
		return nil, fmt.Errorf("engine: %q takes no options, got %q: leave out the colon", kind, config)
	}
	weights, err := o.precision(kind)
	if err != nil {
		return nil, err
	}
	b, err := build(config, o.Threads, weights)
	if err != nil {
		return nil, fmt.Errorf("engine: make %s: %w", kind, err)
	}
	if s, ok := b.(*simd.Backend); ok && o.Training && weights == tile.BFloat16 {
		if err := s.RoundProducts(); err != nil {
			return nil, fmt.Errorf("engine: %w", err)
		}
	}
	return b, nil
}

// Tensor makes a tensor of values for an engine that New made. Where the engine allows it, the tensor is values
// itself and no copy: a model's weights should be in memory once. Nobody may change values afterwards.
func Tensor(b compute.Backend, values []float32, dims ...int) (*tensors.Tensor, error) {
	if s, ok := b.(*simd.Backend); ok {
		buffer, err := s.Adopt(values, shapes.Make(dtypes.Float32, dims...))
		if err != nil {
			return nil, err
		}
		return tensors.FromBuffer(buffer)
	}
	return tensors.FromFlatDataAndDimensions(values, dims...), nil
}

// plainName is what GoMLX's plain backend, whose type is internal to it, calls itself.
const plainName = "Go Backend"

// NameOf is the name, as --engine takes it, of an engine that New made.
func NameOf(b compute.Backend) string {
	if _, ok := b.(*simd.Backend); ok {
		return SIMD
	}
	if b.Name() == plainName {
		return Go
	}
	return XLA
}
