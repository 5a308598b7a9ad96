package engine_test

import (
	"errors"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
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
	enginetest.Each(t, func(t *testing.T, b compute.Backend) {
		for _, threads := range []int{1, 2, 3} {
			_ = threads
			out := graph.MustExecOnce(b, func(x *graph.Node) *graph.Node {
				return graph.Add(graph.Square(x), x)
			}, []float32{1, 2, 3})
			want := []float32{2, 6, 12}
			for i, v := range out.Value().([]float32) {
				if v != want[i] {
					t.Errorf("element %d: %v, want %v", i, v, want[i])
				}
			}
		}
	})
}
