// Package kerneltest is what the tests of the kernels share.
package kerneltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// RaceDetector says that the tests run under it, where they take twenty times as long: large shapes are made smaller.
var RaceDetector bool

// OnEachLevel runs a test on every level that this machine has, and says which.
func OnEachLevel(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	for l := level.Off; l <= level.Best(); l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer level.Force(l)()
			f(t)
		})
	}
}

// Draw gives n normal values at an odd offset in memory.
func Draw(r *rand.Rand, n int) []float32 {
	x := make([]float32, n+1)[1:]
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func Generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// close compares with an absolute bound each.
func CloseTo(t *testing.T, what string, got []float32, want []float64, bound func(i int) float64) {
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

func SameBits(t *testing.T, what string, a, b []float32) {
	t.Helper()
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("%s: element %d is %v here and %v there", what, i, a[i], b[i])
		}
	}
}

func Gflops(b *testing.B, flops float64) {
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// Loop runs f and reports its rate, and that of the quickest run, which a busy machine disturbs least.
func Loop(b *testing.B, flops float64, f func()) {
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	Gflops(b, flops)
	b.ReportMetric(flops/best.Seconds()/1e9, "best-GFLOP/s")
}

func BenchOnLevels(b *testing.B, f func(b *testing.B)) {
	for l := level.AVX2; l <= level.Best(); l++ {
		b.Run(fmt.Sprint(l), func(b *testing.B) {
			defer level.Force(l)()
			f(b)
		})
	}
}

// NeedBF16 runs a test where there are products of bfloat16.
func NeedBF16(t *testing.T) {
	t.Helper()
	if level.Current() < level.AVX512BF16 {
		t.Skip("no AVX512-BF16 here")
	}
}
