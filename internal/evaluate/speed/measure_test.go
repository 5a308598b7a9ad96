package speed

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// A smaller product to compare with: these tests measure nothing.
func init() { reference = Shape{64, 64, 64} }

func TestMeasure(t *testing.T) {
	base := Case{Threads: 1, Network: weightstest.Config(), ImageSize: 32, Batch: 2, Shape: Shape{30, 20, 10}}
	for _, w := range []Work{Image, Text, Product} {
		var cases []Case
		for _, kind := range engine.Available() {
			if kind == engine.XLA {
				continue
			}
			c := base
			c.Engine, c.Work = kind, w
			cases = append(cases, c)
		}
		results, err := Measure(t.Context(), cases, Options{Time: time.Nanosecond, MinRuns: 2, MaxRuns: 2})
		if err != nil {
			t.Fatal(w, err)
		}
		for i, r := range results {
			if r.Engine != cases[i].Engine || r.Work != w || r.Runs != 2 {
				t.Errorf("%d runs of %s on engine %s, want 2 of %s on %s", r.Runs, r.Work, r.Engine, w, cases[i].Engine)
			}
			if r.MsMin <= 0 || r.MsMedian < r.MsMin {
				t.Errorf("%s: the least is %v ms, the median %v", w, r.MsMin, r.MsMedian)
			}
			if rate := float64(r.FLOP) / r.MsMedian / 1e6; r.GFLOPS <= 0 || r.GFLOPS < 0.9*rate-0.01 || r.GFLOPS > 1.1*rate+0.01 {
				t.Errorf("%s: %v GFLOP/s for %d FLOP in %v ms", w, r.GFLOPS, r.FLOP, r.MsMedian)
			}
			if r.SGEMMShare <= 0 || r.SGEMMGFLOPS <= 0 {
				t.Errorf("%s: share %v of %v GFLOP/s", w, r.SGEMMShare, r.SGEMMGFLOPS)
			}
			if (r.WindowsPerSecond != nil) != (w == Image) || (r.ImageSize != nil) != (w == Image) || (r.Batch != nil) != (w != Product) {
				t.Errorf("%s: %+v", w, r)
			}
			if r.PeakRSSMB != nil && (*r.PeakRSSMB < 1 || *r.PeakRSSMB > 1<<20) {
				t.Errorf("%s: a peak of %v MiB", w, *r.PeakRSSMB)
			}
		}
		var table bytes.Buffer
		if err := WriteText(&table, results); err != nil || strings.Count(table.String(), "\n") != 1+len(results) {
			t.Errorf("%v:\n%s", err, table.String())
		}
	}
}

// Cases take turns, each as often as asked. Before that each
// has run twice while its memory was watched, alone, and once when made again.
// Runs as short as these come after one that does not count, but for the first.
func TestTurns(t *testing.T) {
	var order []int
	open := func(_ compute.Backend, c Case) (*Job, error) {
		return &Job{Run: func() error { order = append(order, c.Batch); return nil }}, nil
	}
	c := Case{Engine: engine.Go, Threads: 1, Work: Train, Network: weightstest.Config(), ImageSize: 32, Batch: 1}
	other := c
	other.Batch = 2
	if _, err := Measure(t.Context(), []Case{c, other}, Options{Time: time.Nanosecond, MinRuns: 3, MaxRuns: 3, Train: open}); err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 1, 2, 2, 1, 2, 1, 2, 1, 1, 2, 2, 1, 1, 2, 2}; !slices.Equal(order, want) {
		t.Errorf("order of the runs %v, want %v", order, want)
	}
}

func TestMeasureFailures(t *testing.T) {
	broken := errors.New("broken")
	runs := 0
	later := func(compute.Backend, Case) (*Job, error) {
		return &Job{Run: func() error {
			if runs++; runs > 3 {
				return broken
			}
			return nil
		}}, nil
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	good := Case{Engine: engine.Go, Threads: 1, Work: Train, Network: weightstest.Config(), ImageSize: 32, Batch: 1}
	with := func(change func(c *Case)) Case {
		c := good
		change(&c)
		return c
	}
	never := func(compute.Backend, Case) (*Job, error) { return nil, broken }
	fine := func(compute.Backend, Case) (*Job, error) { return &Job{Run: func() error { return nil }}, nil }
	for _, test := range []struct {
		name string
		ctx  context.Context
		c    Case
		open Opener
		want error
	}{
		{"no opener", t.Context(), good, nil, ErrCase},
		{"opening fails", t.Context(), good, never, broken},
		{"a later run fails", t.Context(), good, later, broken},
		{"stopped", stopped, good, fine, context.Canceled},
		{"no threads", t.Context(), with(func(c *Case) { c.Threads = 0 }), fine, ErrCase},
		{"no batch", t.Context(), with(func(c *Case) { c.Batch = 0 }), fine, ErrCase},
		{"huge batch", t.Context(), with(func(c *Case) { c.Batch = 1 << 30 }), fine, ErrCase},
		{"less than a patch", t.Context(), with(func(c *Case) { c.ImageSize = 7 }), fine, ErrCase},
		{"huge pictures", t.Context(), with(func(c *Case) { c.ImageSize = 1 << 20 }), fine, ErrCase},
		{"bad network", t.Context(), with(func(c *Case) { c.Network.Width = 0 }), fine, network.ErrConfig},
		{"unknown engine", t.Context(), with(func(c *Case) { c.Engine = "abacus" }), fine, engine.ErrUnavailable},
	} {
		if _, err := Measure(test.ctx, []Case{test.c}, Options{Time: time.Nanosecond, Train: test.open}); !errors.Is(err, test.want) {
			t.Errorf("%s: error is %v, want %v", test.name, err, test.want)
		}
	}
}

// A training step in bf16 runs on an engine that rounds the products of changing operands too; in
// int8 there is none.
func TestTrainPrecision(t *testing.T) {
	c := Case{Engine: engine.SIMD, Threads: 1, Work: Train, Network: weightstest.Config(), ImageSize: 32, Batch: 1, Precision: engine.Int8}
	var rounded []bool
	open := func(b compute.Backend, _ Case) (*Job, error) {
		rounded = append(rounded, b.(*simd.Backend).DecidesRounding())
		return &Job{Run: func() error { return nil }}, nil
	}
	o := Options{Time: time.Nanosecond, Train: open}
	if _, err := Measure(t.Context(), []Case{c}, o); !errors.Is(err, ErrCase) || !strings.Contains(err.Error(), "float32 or bf16") {
		t.Errorf("int8: %v", err)
	}
	if !slices.Contains(engine.Precisions(), engine.BF16) {
		t.Skip("no bf16 on this machine")
	}
	for _, c.Precision = range []string{engine.Float32, engine.BF16} {
		if _, err := Measure(t.Context(), []Case{c}, o); err != nil {
			t.Fatal(err)
		}
	}
	if want := []bool{false, true}; !slices.Equal(rounded, want) {
		t.Errorf("rounded %v, want %v", rounded, want)
	}
}

func TestParse(t *testing.T) {
	if s, err := ParseShape("784x384X1536"); err != nil || s != (Shape{784, 384, 1536}) || s.String() != "784x384x1536" {
		t.Error(s, err)
	}
	for _, bad := range []string{"", "3x4", "3x4x5x6", "0x1x1", "-1x2x3", "axbxc", "70000x1x1", "60000x60000x1"} {
		if _, err := ParseShape(bad); !errors.Is(err, ErrCase) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if w, err := ParseWork("train, image,train"); err != nil || !slices.Equal(w, []Work{Train, Image}) {
		t.Error(w, err)
	}
	for _, bad := range []string{"", "image,", "lunch"} {
		if _, err := ParseWork(bad); !errors.Is(err, ErrCase) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestFLOP(t *testing.T) {
	c := Case{Network: network.Default(), ImageSize: 224, Batch: 2, Shape: Shape{3, 4, 5}}
	for w, want := range map[Work]float64{Product: 120e-9, Image: 2 * 2 * (3.968 + 9*0.0026), Text: 2 * 2 * (0.763 + 0.0021), Train: 2 * 2 * 21.1} {
		c.Work = w
		if got := float64(c.FLOP()) / 1e9; got < 0.99*want || got > 1.01*want {
			t.Errorf("%s: %v GFLOP, want about %v", w, got, want)
		}
	}
	if m := median([]time.Duration{9, 1, 4}); m != 4 {
		t.Error("median of three", m)
	}
	if m := median([]time.Duration{9, 1, 4, 2}); m != 3 {
		t.Error("median of four", m)
	}
}
