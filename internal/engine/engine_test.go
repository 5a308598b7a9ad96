package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

func TestNewErrors(t *testing.T) {
	for _, c := range []struct {
		name, kind, env string
		threads         int
		unavailable     bool
	}{
		{"unknown", "cuda", "", 0, true},
		{"unknown from the environment", "", "fpga", 0, true},
		{"options for go", "go:x", "", 0, false},
		{"negative threads", "go", "", -1, false},
		{"absurd threads", "go", "", 1 << 20, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(engine.EnvKind, c.env)
			_, err := engine.New(engine.Options{Kind: c.kind, Threads: c.threads})
			if err == nil {
				t.Fatal("no error")
			}
			if got := errors.Is(err, engine.ErrUnavailable); got != c.unavailable {
				t.Errorf("errors.Is(ErrUnavailable) = %v, want %v: %v", got, c.unavailable, err)
			}
		})
	}
}

func TestEachRuns(t *testing.T) {
	for _, kind := range engine.Available() {
		for _, threads := range []int{0, 1, 2, 3} {
			t.Run(fmt.Sprintf("%s, %d threads", kind, threads), func(t *testing.T) {
				b, err := engine.New(engine.Options{Kind: kind, Threads: threads})
				if err != nil {
					if kind == engine.XLA {
						t.Skipf("no XLA plugin here: %v", err)
					}
					t.Fatal(err)
				}
				defer b.Finalize()
				if got := engine.NameOf(b); got != kind {
					t.Errorf("engine %s is called %q", kind, got)
				}
				out := graph.MustExecOnce(b, func(x *graph.Node) *graph.Node {
					return graph.Add(graph.Square(x), x)
				}, []float32{1, 2, 3})
				if got, want := out.Value().([]float32), []float32{2, 6, 12}; !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		}
	}
}

// Auto takes the vector engine where the CPU has what it needs, and the plain one where it has not, or where it is
// told not to.
func TestAuto(t *testing.T) {
	t.Setenv(engine.EnvKind, "")
	name := func() string {
		b, err := engine.New(engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Finalize()
		return b.String()
	}
	if level.Best() > level.Off {
		defer level.Force(level.Best())()
		if got := name(); got != engine.SIMD {
			t.Errorf("with %s auto is %q, want simd", level.Best(), got)
		}
	}
	defer level.Force(level.Off)()
	if got := name(); got != engine.Go {
		t.Errorf("without vector instructions auto is %q, want go", got)
	}
	if _, err := engine.New(engine.Options{Kind: engine.SIMD}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("simd without vector instructions: error %v, want ErrUnavailable", err)
	}
}
