package tile

import (
	"os"
	"sync"
	"time"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// PairsPay reports whether the vector instructions of bfloat16 are faster than those of float32: attention and
// convolutions use these even where products go by tiles.
func PairsPay() bool {
	if assumed != nil {
		return *assumed
	}
	return measuredPays()
}

var measuredPays = sync.OnceValue(func() bool {
	return level.FromEnvironment(os.Getenv("GROUPVIT_SIMD")) == level.AVX512BF16 && os.Getenv("GROUPVIT_SIMD") != "" || 2*float64(tileTime(level.AVX512)) > leastGain*float64(tileTime(BF16Tiles))
})

// leastGain is how many times as fast microkernels of bfloat16 must be: what they round costs time, too.
const leastGain = 1.15

// assumed, where set, stands for what would be measured.
var assumed *bool

// AssumedPays is what a test said, if it did.
func AssumedPays() (pays, known bool) {
	if assumed == nil {
		return false, false
	}
	return *assumed, true
}

// AssumePays makes [gemm.Computed] believe that products in bfloat16 are faster than in float32, or that they are not,
// and returns a function that ends this. It is for tests: nothing may be compiling meanwhile.
func AssumePays(pays bool) (restore func()) {
	old := assumed
	assumed = &pays
	return func() { assumed = old }
}

// tileTime is the shortest time of a block of a microkernel on what the first-level cache holds. A term of float32 is
// half a word of bfloat16's.
func tileTime(l level.Level) time.Duration {
	const words, blocks, tries = 64, 4, 24
	s := ShapeOf(l)
	a, b, c := make([]float32, s.Rows*words), make([]float32, words*s.Wide), make([]float32, s.Rows*s.Wide)
	best := time.Duration(1 << 62)
	for range tries {
		began := time.Now()
		for range blocks {
			t := Call{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), C: unsafe.Pointer(&c[0]), Inner: words, Outer: 1,
				RowA: 4 * words, ColA: 4, RowB: 4 * s.Wide, RowC: 4 * s.Wide, Alpha: 1}
			s.Run(&t, s.Rows, s.Wide)
		}
		best = min(best, time.Since(began))
	}
	return best
}
