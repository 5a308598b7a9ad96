package kernels

import "math"

// Softmax computes softmax over the last axis: dst and x are [rows, cols], dst may be x. For
// scores within 100 of the row's largest a result is within 8e-6 of the exact one, relatively. A row of -Inf only, or with NaN or +Inf, gives NaN.
func Softmax(p *Pool, dst, x []float32, rows, cols int) {
	need("Softmax", "dst", len(dst), rows*cols)
	need("Softmax", "x", len(x), rows*cols)
	p.For(rows, max(1, 4096/max(1, cols)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			softmaxRow(dst[r*cols:][:cols], x[r*cols:][:cols])
		}
	})
}

func softmaxRow(dst, x []float32) {
	n := len(x)
	if n == 0 || Path() == Off {
		plainSoftmax(dst, x)
		return
	}
	_, sum := expRow(dst[:n], x)
	vecMulScalar(&dst[0], &dst[0], 1/sum, n)
}

func plainSoftmax(dst, x []float32) {
	top := plainReduce(Maximum, x)
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

// SoftmaxGrad computes dx = y·(dy − Σ y·dy) for y = Softmax(x), all [rows, cols]. dx may be y or dy.
func SoftmaxGrad(p *Pool, dx, y, dy []float32, rows, cols int) {
	need("SoftmaxGrad", "dx", len(dx), rows*cols)
	need("SoftmaxGrad", "y", len(y), rows*cols)
	need("SoftmaxGrad", "dy", len(dy), rows*cols)
	p.For(rows, max(1, 4096/max(1, cols)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			y, dy, dx := y[r*cols:][:cols], dy[r*cols:][:cols], dx[r*cols:][:cols]
			softmaxGradRow(dx, y, dy, dot(y, dy))
		}
	})
}

func softmaxGradRow(dx, y, dy []float32, s float32) {
	if n := len(y); n > 0 && Path() != Off {
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
func LayerNorm(p *Pool, dst, mean, rstd, x, gamma, beta []float32, rows, cols int, eps float32) {
	need("LayerNorm", "dst", len(dst), rows*cols)
	need("LayerNorm", "x", len(x), rows*cols)
	checkNorm("LayerNorm", mean, rstd, gamma, rows, cols)
	if beta != nil {
		need("LayerNorm", "beta", len(beta), cols)
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
		need(function, "mean", len(mean), rows)
	}
	if rstd != nil {
		need(function, "rstd", len(rstd), rows)
	}
	if gamma != nil {
		need(function, "gamma", len(gamma), cols)
	}
}

func layerNormRow(dst, x, gamma, beta []float32, eps float32) (mean, rstd float32) {
	n := float32(len(x))
	mean = reduce(Sum, x) / n
	if gamma != nil && beta != nil && Path() != Off {
		rstd = 1 / float32(math.Sqrt(float64(vecSquares(&x[0], mean, len(x))/n+eps)))
		vecNormalise(&dst[0], &x[0], &gamma[:len(x)][0], &beta[:len(x)][0], mean, rstd, len(x))
		return mean, rstd
	}
	binaryRow(Sub, dst, x, nil, 0, mean)
	rstd = 1 / float32(math.Sqrt(float64(dot(dst, dst)/n+eps)))
	binaryRow(Mul, dst, dst, nil, 0, rstd)
	if gamma != nil {
		binaryRow(Mul, dst, dst, gamma, 0, 0)
	}
	if beta != nil {
		binaryRow(Add, dst, dst, beta, 0, 0)
	}
	return mean, rstd
}

// LayerNormGrad computes the gradients of LayerNorm: dx [rows, cols] (may be nil, may be dy), and
// the sums over rows dgamma = Σ dy·x̂ and dbeta = Σ dy [cols], each of which may be nil.
// mean and rstd are LayerNorm's.
func LayerNormGrad(p *Pool, dx, dgamma, dbeta, x, gamma, mean, rstd, dy []float32, rows, cols int) {
	need("LayerNormGrad", "x", len(x), rows*cols)
	need("LayerNormGrad", "dy", len(dy), rows*cols)
	need("LayerNormGrad", "mean", len(mean), rows)
	need("LayerNormGrad", "rstd", len(rstd), rows)
	checkNorm("LayerNormGrad", mean, rstd, gamma, rows, cols)
	if cols == 0 {
		return
	}
	// Sums over rows run in fixed blocks of rows, whatever the threads.
	const block = 64
	blocks := (rows + block - 1) / block
	sums := scratch(max(1, blocks) * 3 * cols)
	defer sums.release()
	p.For(blocks, max(1, 8192/(block*cols)), func(lo, hi int) {
		for b := lo; b < hi; b++ {
			s := sums.data[b*3*cols:][:3*cols]
			clear(s)
			sg, sb, hat := s[:cols], s[cols:2*cols], s[2*cols:]
			for r := b * block; r < min(rows, (b+1)*block); r++ {
				var out []float32
				if dx != nil {
					out = dx[r*cols:][:cols]
				}
				layerNormGradRow(out, sg, sb, hat, x[r*cols:][:cols], gamma, dy[r*cols:][:cols], mean[r], rstd[r])
			}
		}
	})
	collect := func(dst []float32, offset int) {
		if dst == nil {
			return
		}
		dst = dst[:cols]
		clear(dst)
		for b := range blocks {
			axpy(1, sums.data[b*3*cols+offset:][:cols], dst)
		}
	}
	collect(dgamma, 0)
	collect(dbeta, cols)
}

// layerNormGradRow adds one row to sg and sb; hat is working memory.
func layerNormGradRow(dx, sg, sb, hat, x, gamma, dy []float32, mean, rstd float32) {
	n := float32(len(x))
	if Path() != Off {
		if gamma == nil {
			gamma = hat // stands for ones
			for j := range gamma {
				gamma[j] = 1
			}
		}
		g := &gamma[:len(x)][0]
		s1, s2 := vecNormaliseSums(&sg[0], &sb[0], &x[0], g, &dy[0], mean, rstd, len(x))
		if dx != nil {
			vecNormaliseGrad(&dx[0], &x[0], g, &dy[0], mean, rstd, s1/n, s2/n, len(x))
		}
		return
	}
	var s1, s2 float32
	for j, v := range x {
		h := (v - mean) * rstd
		hat[j] = h
		g := dy[j]
		sg[j] += g * h
		sb[j] += g
		if gamma != nil {
			g *= gamma[j]
		}
		s1 += g
		s2 += g * h
	}
	if dx == nil {
		return
	}
	s1, s2 = s1/n, s2/n
	for j, h := range hat {
		g := dy[j]
		if gamma != nil {
			g *= gamma[j]
		}
		dx[j] = rstd * (g - s1 - h*s2)
	}
}
