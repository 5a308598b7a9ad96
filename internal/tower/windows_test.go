package tower

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

// tiny are the towers of the paper's network in small, with drawn weights.
func tiny(t *testing.T, kind string) *Towers {
	t.Helper()
	backend, err := engine.New(engine.Options{Kind: kind, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := weightstest.Model()
	m, err := New("tiny", backend, w.Config, w.Tensors, nil, errors.New("no tokenizer"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
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

// atOnce asks for windows while the lock is held, so that all of them wait together,
// and returns what each gets.
func atOnce(t *testing.T, m *Towers, sizes [][2]int) []Image {
	t.Helper()
	if err := m.lock.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		i   int
		out Image
		err error
	}
	answers := make(chan answer)
	for i, s := range sizes {
		go func() {
			out, err := m.Image(t.Context(), wave(i, s[0], s[1]), s[0], s[1])
			answers <- answer{i, out, err}
		}()
	}
	waitFor(t, m, len(sizes))
	m.lock.Release()
	got := make([]Image, len(sizes))
	for range sizes {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		got[a.i] = a.out
	}
	return got
}

func waitFor(t *testing.T, m *Towers, n int) {
	t.Helper()
	for range 2000 {
		m.windows.mu.Lock()
		waiting := len(m.windows.list)
		m.windows.mu.Unlock()
		if waiting == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("there are never %d windows waiting", n)
}

// outputs are an image's, in one order.
func outputs(im Image) [][]float32 {
	return append([][]float32{im.Embedding, im.Groups, im.Patches}, im.Stages...)
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
				alone, err := m.Image(t.Context(), wave(i, s[0], s[1]), s[0], s[1])
				if err != nil || alone.GridH != s[0]/8 || alone.GridW != s[1]/8 {
					t.Fatalf("grid %d×%d, %v", alone.GridH, alone.GridW, err)
				}
				together := outputs(got[i])
				for k, values := range outputs(alone) {
					if len(values) != len(together[k]) {
						t.Fatalf("window %d, output %d: %d values, alone %d", i, k, len(together[k]), len(values))
					}
					for n, v := range values {
						if d := math.Abs(float64(v - together[k][n])); d > 1e-5 {
							t.Fatalf("window %d, output %d, value %d: %g together, %g alone", i, k, n, together[k][n], v)
						}
					}
				}
			}
			if n := len(m.windows.list); n != 0 {
				t.Errorf("%d windows still wait", n)
			}
		})
	}
}

// TestWindowLeaves: who stops waiting leaves nothing behind, and the others are
// computed.
func TestWindowLeaves(t *testing.T) {
	m := tiny(t, "go")
	if err := m.lock.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	left, stayed := make(chan error), make(chan error)
	go func() {
		_, err := m.Image(ctx, wave(1, 32, 32), 32, 32)
		left <- err
	}()
	go func() {
		_, err := m.Image(t.Context(), wave(2, 32, 32), 32, 32)
		stayed <- err
	}()
	waitFor(t, m, 2)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	waitFor(t, m, 1)
	m.lock.Release()
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
