package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// plainGemm is the definition of Gemm in plain Go: rows in parallel, k outside of n so that the
// inner loop runs along rows where it can.
func plainGemm(p *work.Pool, batch, m, n, k int, a tile.Matrix, strideA int, b tile.Matrix, strideB int, c []float32, ldc, strideC int, e Epilogue) {
	grain := max(1, 32768/max(1, n*k))
	p.For(batch*m, grain, func(lo, hi int) {
		acc := make([]float32, n)
		for r := lo; r < hi; r++ {
			t, i := r/m, r%m
			var x, y []float32
			if k > 0 {
				x, y = a.Data[t*strideA:], b.Data[t*strideB:]
			}
			clear(acc)
			for q := range k {
				var v float32
				if a.Transposed {
					v = x[q*a.Stride+i]
				} else {
					v = x[i*a.Stride+q]
				}
				if b.Transposed {
					for j := range acc {
						acc[j] += v * y[j*b.Stride+q]
					}
				} else {
					row := y[q*b.Stride:][:n]
					for j := range acc {
						acc[j] += v * row[j]
					}
				}
			}
			PlainEpilogue(acc, c[t*strideC+i*ldc:][:n], residualRow(e, ldc, t*strideC, i), e)
		}
	})
}

// residualRow gives row i of the residual of the product that starts at offset, or nil.
func residualRow(e Epilogue, ldc, offset, i int) []float32 {
	if e.Residual == nil {
		return nil
	}
	s := e.ResidualStride
	if s == 0 {
		s = ldc
	}
	return e.Residual[offset+i*s:]
}

// PlainEpilogue finishes one row.
func PlainEpilogue(product, c, residual []float32, e Epilogue) {
	for j, v := range product {
		if e.Alpha != 0 {
			v *= e.Alpha
		}
		if e.Accumulate {
			v += c[j]
		}
		if e.Bias != nil {
			v += e.Bias[j]
		}
		switch e.Activation {
		case vector.GELU:
			v = vector.PlainGELU(v)
		case vector.QuickGELU:
			v = vector.PlainQuickGELU(v)
		case vector.ReLU:
			v = max(v, 0)
		}
		if residual != nil {
			v += residual[j]
		}
		c[j] = v
	}
}
