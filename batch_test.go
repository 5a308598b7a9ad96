package groupvit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// tiny is the paper's network in small, with drawn weights.
func tiny(t *testing.T, kind string) *Model {
	t.Helper()
	m, err := newModel("tiny", weightstest.Model(), &Options{Engine: kind, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// wave are normalised pixels [3, h, w] that differ by seed.
func wave(seed, h, w int) []float32 {
	out := make([]float32, 3*h*w)
	for i := range out {
		out[i] = float32(math.Sin(float64(i*(seed+3)) / 17))
	}
	return out
}

// atOnce asks for windows while somebody else has the turn, so that all of them
// wait together, and returns what each gets.
func atOnce(t *testing.T, m *Model, sizes [][2]int) [][][]float32 {
	t.Helper()
	if err := m.turn.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		i   int
		out [][]float32
		err error
	}
	answers := make(chan answer)
	for i, s := range sizes {
		go func() {
			out, _, err := m.runImage(t.Context(), wave(i, s[0], s[1]), s[0], s[1])
			answers <- answer{i, out, err}
		}()
	}
	waitFor(t, m, len(sizes))
	m.turn.give()
	got := make([][][]float32, len(sizes))
	for range sizes {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		got[a.i] = a.out
	}
	return got
}

func waitFor(t *testing.T, m *Model, n int) {
	t.Helper()
	for range 2000 {
		m.pending.mu.Lock()
		waiting := len(m.pending.list)
		m.pending.mu.Unlock()
		if waiting == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("there are never %d windows waiting", n)
}

// TestWindowsTogether: windows that wait together are computed together by size,
// and each gets what it would get alone.
func TestWindowsTogether(t *testing.T) {
	kinds := []string{"go"}
	if slices.Contains(engine.Available(), "simd") {
		kinds = append(kinds, "simd")
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			m := tiny(t, kind)
			sizes := [][2]int{{32, 32}, {32, 40}, {32, 32}, {32, 32}, {32, 40}, {32, 32}, {32, 32}}
			got := atOnce(t, m, sizes)
			var shapes []string
			for _, c := range m.image.compiled {
				shapes = append(shapes, fmt.Sprint(c.shape))
			}
			for _, want := range []string{"[4 3 32 32]", "[2 3 32 40]", "[1 3 32 32]"} {
				if !slices.Contains(shapes, want) {
					t.Errorf("no batch %s among %v", want, shapes)
				}
			}
			for i, s := range sizes {
				alone, grid, err := m.runImage(t.Context(), wave(i, s[0], s[1]), s[0], s[1])
				if err != nil || grid != [2]int{s[0] / 8, s[1] / 8} {
					t.Fatal(grid, err)
				}
				for k, values := range alone {
					if len(values) != len(got[i][k]) {
						t.Fatalf("window %d, output %d: %d values, alone %d", i, k, len(got[i][k]), len(values))
					}
					for n, v := range values {
						if d := math.Abs(float64(v - got[i][k][n])); d > 1e-5 {
							t.Fatalf("window %d, output %d, value %d: %g together, %g alone", i, k, n, got[i][k][n], v)
						}
					}
				}
			}
			if n := len(m.pending.list); n != 0 {
				t.Errorf("%d windows still wait", n)
			}
		})
	}
}

// TestWindowLeaves: who stops waiting leaves nothing behind, and the others are
// computed.
func TestWindowLeaves(t *testing.T) {
	m := tiny(t, "go")
	if err := m.turn.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	left, stayed := make(chan error), make(chan error)
	go func() {
		_, _, err := m.runImage(ctx, wave(1, 32, 32), 32, 32)
		left <- err
	}()
	go func() {
		_, _, err := m.runImage(t.Context(), wave(2, 32, 32), 32, 32)
		stayed <- err
	}()
	waitFor(t, m, 2)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	waitFor(t, m, 1)
	m.turn.give()
	if err := <-stayed; err != nil {
		t.Error(err)
	}
}

// TestBatchSize: large windows are computed alone.
func TestBatchSize(t *testing.T) {
	m := tiny(t, "go") // patches of 8 pixels
	for _, c := range []struct{ side, want int }{{32, 4}, {256, 4}, {320, 2}, {448, 1}, {4096, 1}} {
		if got := m.batchSize(c.side, c.side); got != c.want {
			t.Errorf("windows of %d pixels: %d together, want %d", c.side, got, c.want)
		}
	}
}
