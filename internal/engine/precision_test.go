package engine_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

func TestPrecisionErrors(t *testing.T) {
	for _, c := range []struct{ name, kind, precision, env string }{
		{"unknown", engine.Go, "fp8", ""},
		{"unknown from the environment", engine.Go, "", "half"},
		{"another engine", engine.Go, engine.BF16, ""},
		{"another engine, from the environment", engine.Go, "", engine.BF16},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(engine.EnvPrecision, c.env)
			if _, err := engine.New(engine.Options{Kind: c.kind, Precision: c.precision}); !errors.Is(err, engine.ErrUnavailable) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	for _, p := range []string{engine.BF16, engine.Int8} {
		if slices.Contains(engine.Precisions(), p) || !slices.Contains(engine.Available(), engine.SIMD) {
			continue
		}
		if _, err := engine.New(engine.Options{Kind: engine.SIMD, Precision: p}); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("%s without the instructions, the error is %v", p, err)
		}
	}
}

// narrow are the precisions beside float32 that this machine has, with the error that a product of unit
// normal operands may have, as a share of √k.
func narrow(t *testing.T) map[string]float64 {
	all := map[string]float64{engine.BF16: 0.01, engine.Int8: 0.05}
	have := map[string]float64{}
	for _, p := range engine.Precisions()[1:] {
		have[p] = all[p]
	}
	if len(have) == 0 {
		t.Skipf("this machine (%s) has float32 alone", engine.Instructions())
	}
	return have
}

// TestPrecisionIsOfWeights multiplies by a constant, which is rounded, and by a parameter, which is not.
func TestPrecisionIsOfWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const m, k, n = 19, 130, 45
	x, w := make([][]float32, m), make([][]float32, k)
	for _, rows := range []struct {
		x    [][]float32
		cols int
	}{{x, k}, {w, n}} {
		for i := range rows.x {
			for range rows.cols {
				rows.x[i] = append(rows.x[i], float32(r.NormFloat64()))
			}
		}
	}
	products := func(precision string) (constant, parameter [][]float32) {
		b, err := engine.New(engine.Options{Kind: engine.SIMD, Threads: 2, Precision: precision})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Finalize()
		if got := engine.PrecisionOf(b); got != precision {
			t.Errorf("the engine's precision is %s, not %s", got, precision)
		}
		out := graph.MustExecOnceN(b, func(x, y *graph.Node) []*graph.Node {
			return []*graph.Node{graph.Dot(x, graph.Const(x.Graph(), w)).Product(), graph.Dot(x, y).Product()}
		}, x, w)
		return out[0].Value().([][]float32), out[1].Value().([][]float32)
	}
	for precision, share := range narrow(t) {
		t.Run(precision, func(t *testing.T) {
			exact, exactToo := products(engine.Float32)
			got, gotToo := products(precision)
			moved := false
			for i := range exact {
				for j, v := range exact[i] {
					if math.Abs(float64(got[i][j]-v)) > share*math.Sqrt(k) {
						t.Fatalf("element %d, %d is %v, not %v", i, j, got[i][j], v)
					}
					moved = moved || got[i][j] != v
					if gotToo[i][j] != exactToo[i][j] {
						t.Fatalf("by a parameter, element %d, %d is %v, not %v", i, j, gotToo[i][j], exactToo[i][j])
					}
				}
			}
			if !moved {
				t.Error("the product by a constant is that of float32")
			}
		})
	}
}

// Where bf16 is slower than float32, what is asked for in bf16 keeps float32, in training too, and the engine says so.
func TestSlowBF16KeepsFloat32(t *testing.T) {
	if !slices.Contains(engine.Precisions(), engine.BF16) {
		t.Skip("this CPU has no AVX512-BF16")
	}
	defer tile.AssumePays(false)()
	if got := engine.Computed(engine.BF16); got != engine.Float32 {
		t.Errorf("bf16 is computed in %s", got)
	}
	r := rand.New(rand.NewPCG(3, 4))
	const n = 128
	x, w := make([][]float32, n), make([][]float32, n)
	for i := range x {
		for range n {
			x[i], w[i] = append(x[i], float32(r.NormFloat64())), append(w[i], float32(r.NormFloat64()))
		}
	}
	product := func(o engine.Options) [][]float32 {
		o.Kind, o.Threads = engine.SIMD, 1
		b, err := engine.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Finalize()
		if got := engine.PrecisionOf(b); got != engine.Float32 {
			t.Errorf("%+v: the engine's precision is %s", o, got)
		}
		if o.Training && engine.Rounds(b) != (o.Precision == engine.BF16) {
			t.Errorf("%+v: the graph would be asked to round", o)
		}
		return graph.MustExecOnceN(b, func(x, y *graph.Node) []*graph.Node {
			if !o.Training {
				y = graph.Const(x.Graph(), w)
			}
			return []*graph.Node{graph.Dot(x, y).Product()}
		}, x, w)[0].Value().([][]float32)
	}
	for _, training := range []bool{false, true} {
		exact := product(engine.Options{Precision: engine.Float32, Training: training})
		for i, row := range product(engine.Options{Precision: engine.BF16, Training: training}) {
			if !slices.Equal(row, exact[i]) {
				t.Fatalf("training %v: row %d is not that of float32", training, i)
			}
		}
	}
}
