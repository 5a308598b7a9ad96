package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/groupvit/groupvit/internal/engine/plain"
)

// build draws a graph of a few parameters and operations and gives its outputs.
func build(t *testing.T, b compute.Backend, seed uint64) (compute.Executable, []operand, []compute.Buffer) {
	g := &drawing{t: t, r: rand.New(rand.NewPCG(seed, 7))}
	builder := b.Builder(fmt.Sprint("random ", seed))
	g.f = builder.Main()
	var in []compute.Buffer
	for i := range 1 + g.r.IntN(3) {
		s := shapes.Make(dtypes.Float32, g.dims()...)
		x := make([]float32, s.Size())
		for j := range x {
			x[j] = float32(g.r.NormFloat64())
			switch g.r.IntN(2000) {
			case 0:
				x[j] = float32(math.NaN())
			case 1:
				x[j] = float32(math.Inf(1))
			case 2:
				x[j] = 0
			}
		}
		u, err := b.BufferFromFlatData(0, x, s)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, u)
		g.add(g.must(g.f.Parameter(fmt.Sprint("p", i), s, nil)), true)
	}
	for range 3 + g.r.IntN(25) {
		g.step()
	}
	var out []operand
	var values []compute.Value
	for i, o := range g.known {
		if o.shape.DType == dtypes.Float32 && (i == len(g.known)-1 || g.r.IntN(3) == 0) {
			out, values = append(out, o), append(values, o.v)
		}
	}
	if err := g.f.Return(values, nil); err != nil {
		t.Fatal(err)
	}
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return e, out, in
}

func execute(t *testing.T, e compute.Executable, in []compute.Buffer, donate []bool) [][]float32 {
	t.Helper()
	bufs, err := e.Execute(in, donate, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, u := range bufs {
		flat, err := u.Data()
		if err != nil {
			t.Fatal(err)
		}
		x, _ := flat.([]float32)
		out = append(out, append([]float32(nil), x...))
	}
	return out
}

// near compares with the largest finite magnitude as the measure, or 0.3.
func near(want, got []float32, tolerance float64) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	top := 0.0
	for _, v := range want {
		if a := math.Abs(float64(v)); !math.IsInf(a, 0) && a > top {
			top = a
		}
	}
	for i, v := range want {
		a, b := float64(v), float64(got[i])
		same := a == b || a != a && b != b || math.Abs(a-b) <= tolerance*max(top, 0.3)
		if !same {
			return fmt.Errorf("element %d of %d is %v, want %v", i, len(want), got[i], v)
		}
	}
	return nil
}

// raceDetector says that the test runs under it.
var raceDetector bool

// reference is the plain Go backend. Its products compute addresses behind their slices, which the checks that come
// with the race detector forbid.
func reference(t testing.TB) compute.Backend {
	t.Helper()
	if raceDetector {
		t.Skip("the plain Go backend does not run under the race detector")
	}
	b, err := plain.New(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// Random graphs give what the plain Go backend gives, also the second time, and with the inputs given away.
func TestRandomGraphs(t *testing.T) {
	go1, b := reference(t), newBackend(t, 2)
	n := 400
	if testing.Short() {
		n = 60
	}
	for seed := range uint64(n) {
		e, out, in := build(t, go1, seed)
		want := execute(t, e, in, nil)
		e, _, in = build(t, b, seed)
		donate := make([]bool, len(in))
		for pass := range 3 {
			if pass == 2 {
				for i := range donate {
					donate[i] = i%2 == 0
				}
			}
			got := execute(t, e, in, donate)
			for i := range want {
				if err := near(want[i], got[i], 2e-4); err != nil {
					t.Errorf("seed %d, pass %d, output %d of shape %s: %v", seed, pass, i, out[i].shape, err)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
