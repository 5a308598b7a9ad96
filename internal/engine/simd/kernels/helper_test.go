package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// raceDetector says that the tests run under it, where they take twenty times as long: large shapes are made smaller.
var raceDetector bool

// onEachPath runs a test on every level that this machine has, and says which.
func onEachPath(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	for l := Off; l <= Best(); l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer Force(l)()
			f(t)
		})
	}
}

// draw gives n normal values at an odd offset in memory.
func draw(r *rand.Rand, n int) []float32 {
	x := make([]float32, n+1)[1:]
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// close compares with an absolute bound each.
func closeTo(t *testing.T, what string, got []float32, want []float64, bound func(i int) float64) {
	t.Helper()
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(w) && math.IsNaN(g) || w == g {
			continue
		}
		if !(math.Abs(g-w) <= bound(i)) {
			t.Fatalf("%s: element %d is %v, not %v (bound %g)", what, i, g, w, bound(i))
		}
	}
}

func sameBits(t *testing.T, what string, a, b []float32) {
	t.Helper()
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("%s: element %d is %v here and %v there", what, i, a[i], b[i])
		}
	}
}

func gflops(b *testing.B, flops float64) {
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// loop runs f and reports its rate, and that of the quickest run, which a busy machine disturbs least.
func loop(b *testing.B, flops float64, f func()) {
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	gflops(b, flops)
	b.ReportMetric(flops/best.Seconds()/1e9, "best-GFLOP/s")
}

func benchOnPaths(b *testing.B, f func(b *testing.B)) {
	for l := AVX2; l <= Best(); l++ {
		b.Run(fmt.Sprint(l), func(b *testing.B) {
			defer Force(l)()
			f(b)
		})
	}
}
