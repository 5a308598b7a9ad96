package vector

import (
	"math"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// The exponentials of a row of scores, on vector instructions: the part of a softmax that costs.

// ExpRow computes dst = exp(x − top) and gives top, the largest of x, and the sum. A row of -Inf only
// has a top of -Inf and no meaningful dst; one with NaN or +Inf has a sum of NaN.
func ExpRow(dst, x []float32) (top, sum float32) {
	n := len(x)
	if level.Current() >= level.AVX512 {
		// NaN may not count here: then the sum is NaN all the same.
		if top = wideMaximum(&x[0], n); !math.IsInf(float64(top), -1) {
			return top, wideExpSum(&dst[0], &x[0], top, n)
		}
	}
	top = vecMaximum(&x[0], n)
	return top, vecExpSum(&dst[0], &x[0], top, n)
}

// ExpBelow computes x = exp(x − s) in place, where no x is larger than s by more than rounding.
func ExpBelow(x []float32, s float32) {
	if level.Current() >= level.AVX512 {
		wideExpSum(&x[0], &x[0], s, len(x))
		return
	}
	vecExpSum(&x[0], &x[0], s, len(x))
}
