package speed

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// What each kind of step costs adds up, and its share is of the nearer limit.
func TestRooflineFill(t *testing.T) {
	r := &Roofline{Work: Text, Batch: 1, Threads: 1}
	r.fill([]simd.StepCost{
		{Kind: "product", Name: "product 1x2", Time: 2 * time.Millisecond, FLOP: 1e6, Bytes: 1e3}, // 1 ms of arithmetic
		{Kind: "product", Name: "product 3x4", Time: 4 * time.Millisecond, FLOP: 1e6, Bytes: 2e6}, // 2 ms of memory
		{Kind: "product", Name: "product 1x2", Time: 2 * time.Millisecond, FLOP: 3e6, Bytes: 1e3}, // 3 ms of arithmetic
		{Kind: "copy", Name: "copy", Time: 2 * time.Millisecond, Bytes: 1e6},                      // 1 ms of memory
	}, 1e9, 1e9)
	if r.Ms != 10 || len(r.Operations) != 2 {
		t.Fatalf("%v ms in %d kinds of operations, want 10 in 2: %+v", r.Ms, len(r.Operations), r)
	}
	p, c := r.Operations[0], r.Operations[1]
	if p.Kind != "product" || p.Count != 3 || p.Ms != 8 || p.TimeShare != 0.8 || p.GFLOP != 0.005 || p.GFLOPS != 0.62 && p.GFLOPS != 0.63 ||
		p.LimitShare != 0.75 || p.Bound != "compute" || len(p.Shapes) != 2 {
		t.Errorf("products: %+v", p)
	}
	if s := p.Shapes; s[0].Count+s[1].Count != 3 || s[0].Ms != 4 || s[1].Ms != 4 {
		t.Errorf("shapes: %+v", s)
	}
	if c.Kind != "copy" || c.Bound != "memory" || c.LimitShare != 0.5 || c.GBS != 0.5 || c.Shapes != nil {
		t.Errorf("copies: %+v", c)
	}
	var table bytes.Buffer
	if err := WriteRoofline(&table, r); err != nil || strings.Count(table.String(), "\n") != 4+4 {
		t.Errorf("%v:\n%s", err, table.String())
	}
}

func TestMeasureRoofline(t *testing.T) {
	c := Case{Engine: engine.SIMD, Threads: 1, Work: Image, Network: weightstest.Config(), ImageSize: 32, Batch: 2}
	for _, bad := range []func(c *Case){func(c *Case) { c.Engine = engine.Go }, func(c *Case) { c.Work, c.Shape = Product, reference }} {
		d := c
		bad(&d)
		if _, err := MeasureRoofline(t.Context(), d, Options{}); !errors.Is(err, ErrCase) {
			t.Errorf("%s on %s: the error is %v", d.Work, d.Engine, err)
		}
	}
	if !simd.Supported() {
		t.Skip("no vector instructions here")
	}
	for _, w := range []Work{Image, Text} {
		c.Work = w
		r, err := MeasureRoofline(t.Context(), c, Options{Time: time.Nanosecond, MinRuns: 2, MaxRuns: 2})
		if err != nil {
			t.Fatal(err)
		}
		if r.Runs != 2 || r.SGEMMGFLOPS <= 0 || r.StreamGBS <= 0 || r.Ms <= 0 || (r.ImageSize != nil) != (w == Image) {
			t.Errorf("%s: %+v", w, r)
		}
		shares, flop := 0.0, 0.0
		for _, o := range r.Operations {
			shares, flop = shares+o.TimeShare, flop+o.GFLOP
			if o.Count < 1 || o.MB <= 0 || o.LimitShare <= 0 {
				t.Errorf("%s: %+v", w, o)
			}
		}
		if math.Abs(shares-1) > 0.01 {
			t.Errorf("%s: shares of time add up to %v", w, shares)
		}
		// Steps count no less than the usual measure, which leaves small products out, and not much more.
		if want := float64(c.FLOP()) / 1e9; flop < 0.98*want || flop > 1.3*want {
			t.Errorf("%s: %v GFLOP in steps, %v in the network", w, flop, want)
		}
	}
}
