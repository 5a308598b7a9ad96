package kernels

import (
	"os"
	"sync"
	"time"
	"unsafe"
)

// Computed is the format in which products that are asked for in f are computed on this machine: f itself, or Float32
// where the instructions of BFloat16 exist and are slower than those of float32. On the one Intel CPU that was
// measured VDPBF16PS runs at half the rate of float32's multiply-adds, on AMD's Zen 4 and Zen 5 at about twice. So the
// first question measures it, for some microseconds. GROUPVIT_SIMD=avx512bf16 takes BFloat16 whatever is faster.
func (f Format) Computed() Format {
	if f == BFloat16 && Path() >= f.Level() && !roundingPays() {
		return Float32
	}
	return f
}

// roundingPays reports whether microkernels of bfloat16 are faster than those of float32.
func roundingPays() bool {
	switch {
	case assumed != nil:
		return *assumed
	case amxUse() != nil:
		return true
	}
	return measuredPays()
}

// PairsPay reports whether the vector instructions of bfloat16 are faster than those of float32: attention and
// convolutions use these even where products go by tiles.
func PairsPay() bool {
	if assumed != nil {
		return *assumed
	}
	return measuredPays()
}

var measuredPays = sync.OnceValue(func() bool {
	return fromEnvironment(os.Getenv("GROUPVIT_SIMD")) == AVX512BF16 && os.Getenv("GROUPVIT_SIMD") != "" || 2*float64(tileTime(AVX512)) > leastGain*float64(tileTime(bf16Tiles))
})

// leastGain is how many times as fast microkernels of bfloat16 must be: what they round costs time, too.
const leastGain = 1.15

// assumed, where set, stands for what would be measured.
var assumed *bool

// AssumePays makes [Format.Computed] believe that products in bfloat16 are faster than in float32, or that they are not,
// and returns a function that ends this. It is for tests: nothing may be compiling meanwhile.
func AssumePays(pays bool) (restore func()) {
	old := assumed
	assumed = &pays
	return func() { assumed = old }
}

// tileTime is the shortest time of a block of a microkernel on what the first-level cache holds. A term of float32 is
// half a word of bfloat16's.
func tileTime(l Level) time.Duration {
	const words, blocks, tries = 64, 4, 24
	s := tileShape(l)
	a, b, c := make([]float32, s.rows*words), make([]float32, words*s.wide), make([]float32, s.rows*s.wide)
	best := time.Duration(1 << 62)
	for range tries {
		began := time.Now()
		for range blocks {
			t := tile{a: unsafe.Pointer(&a[0]), b: unsafe.Pointer(&b[0]), c: unsafe.Pointer(&c[0]), inner: words, outer: 1,
				rowA: 4 * words, colA: 4, rowB: 4 * s.wide, rowC: 4 * s.wide, alpha: 1}
			s.run(&t, s.rows, s.wide)
		}
		best = min(best, time.Since(began))
	}
	return best
}
