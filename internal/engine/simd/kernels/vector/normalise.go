package vector

import (
	"math"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Softmax computes softmax over the last axis: dst and x are [rows, cols], dst may be x. For
// scores within 100 of the row's largest a result is within 8e-6 of the exact one, relatively. A row of -Inf only, or with NaN or +Inf, gives NaN.
func Softmax(p *work.Pool, dst, x []float32, rows, cols int) {
	work.CheckLen("Softmax", "dst", len(dst), rows*cols)
	work.CheckLen("Softmax", "x", len(x), rows*cols)
	p.For(rows, max(1, 4096/max(1, cols)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			softmaxRow(dst[r*cols:][:cols], x[r*cols:][:cols])
		}
	})
}

func softmaxRow(dst, x []float32) {
	n := len(x)
	if n == 0 || level.Current() == level.Off {
		plainSoftmax(dst, x)
		return
	}
	_, sum := ExpRow(dst[:n], x)
	vecMulScalar(&dst[0], &dst[0], 1/sum, n)
}

func plainSoftmax(dst, x []float32) {
	top := PlainReduce(Maximum, x)
	var sum float64
	for i, v := range x {
		e := math.Exp(float64(v) - float64(top))
		dst[i] = float32(e)
		sum += e
	}
	for i := range dst {
		dst[i] = float32(float64(dst[i]) / sum)
	}
}

// SoftmaxGradRow computes dx = y·(dy − s) for y = softmax(x) and s = Σ y·dy. dx may be y or dy.
func SoftmaxGradRow(dx, y, dy []float32, s float32) {
	if n := len(y); n > 0 && level.Current() != level.Off {
		vecSoftmaxGrad(&dx[0], &y[0], &dy[0], s, n)
		return
	}
	for i, v := range y {
		dx[i] = v * (dy[i] - s)
	}
}

// LayerNorm computes dst = (x − mean)·rstd·gamma + beta over the last axis of x [rows, cols], with
// rstd = 1/√(variance + eps) and the biased variance. gamma and beta [cols] may be nil (1 and 0).
// mean and rstd [rows] are results that the gradient needs; either may be nil. dst may be x.
func LayerNorm(p *work.Pool, dst, mean, rstd, x, gamma, beta []float32, rows, cols int, eps float32) {
	work.CheckLen("LayerNorm", "dst", len(dst), rows*cols)
	work.CheckLen("LayerNorm", "x", len(x), rows*cols)
	checkNorm("LayerNorm", mean, rstd, gamma, rows, cols)
	if beta != nil {
		work.CheckLen("LayerNorm", "beta", len(beta), cols)
	}
	if cols == 0 {
		return
	}
	p.For(rows, max(1, 8192/cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			m, s := layerNormRow(dst[r*cols:][:cols], x[r*cols:][:cols], gamma, beta, eps)
			if mean != nil {
				mean[r] = m
			}
			if rstd != nil {
				rstd[r] = s
			}
		}
	})
}

func checkNorm(function string, mean, rstd, gamma []float32, rows, cols int) {
	if mean != nil {
		work.CheckLen(function, "mean", len(mean), rows)
	}
	if rstd != nil {
		work.CheckLen(function, "rstd", len(rstd), rows)
	}
	if gamma != nil {
		work.CheckLen(function, "gamma", len(gamma), cols)
	}
}

func layerNormRow(dst, x, gamma, beta []float32, eps float32) (mean, rstd float32) {
	n := float32(len(x))
	mean = reduce(Sum, x) / n
	if gamma != nil && beta != nil && level.Current() != level.Off {
		rstd = 1 / float32(math.Sqrt(float64(vecSquares(&x[0], mean, len(x))/n+eps)))
		vecNormalise(&dst[0], &x[0], &gamma[:len(x)][0], &beta[:len(x)][0], mean, rstd, len(x))
		return mean, rstd
	}
	BinaryRow(Sub, dst, x, nil, 0, mean)
	rstd = 1 / float32(math.Sqrt(float64(DotRow(dst, dst)/n+eps)))
	BinaryRow(Mul, dst, dst, nil, 0, rstd)
	if gamma != nil {
		BinaryRow(Mul, dst, dst, gamma, 0, 0)
	}
	if beta != nil {
		BinaryRow(Add, dst, dst, beta, 0, 0)
	}
	return mean, rstd
}
