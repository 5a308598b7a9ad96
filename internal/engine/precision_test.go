package engine_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
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
