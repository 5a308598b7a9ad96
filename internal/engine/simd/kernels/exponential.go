package kernels

import "math"

// The exponentials of a row of scores, on vector instructions: the part of a softmax that costs.

// expRow computes dst = exp(x − top) and gives top, the largest of x, and the sum. A row of -Inf only
// has a top of -Inf and no meaningful dst; one with NaN or +Inf has a sum of NaN.
func expRow(dst, x []float32) (top, sum float32) {
	n := len(x)
	if Path() >= AVX512 {
		// NaN may not count here: then the sum is NaN all the same.
		if top = wideMaximum(&x[0], n); !math.IsInf(float64(top), -1) {
			return top, wideExpSum(&dst[0], &x[0], top, n)
		}
	}
	top = vecMaximum(&x[0], n)
	return top, vecExpSum(&dst[0], &x[0], top, n)
}

// expBelow computes x = exp(x − s) in place, where no x is larger than s by more than rounding.
func expBelow(x []float32, s float32) {
	if Path() >= AVX512 {
		wideExpSum(&x[0], &x[0], s, len(x))
		return
	}
	vecExpSum(&x[0], &x[0], s, len(x))
}
