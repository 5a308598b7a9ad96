package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// runPlain is the definition of Run in plain Go: rows in parallel, k outside of n so that the
// inner loop runs along rows where it can.
func (x Product) runPlain(p *work.Pool) {
	m, n, k, b := x.M, x.N, x.K, x.B
	if x.Packed != nil {
		b = x.Packed.unpack()
	}
	grain := max(1, 32768/max(1, n*k))
	p.For(x.Batch*m, grain, func(lo, hi int) {
		acc := make([]float32, n)
		for r := lo; r < hi; r++ {
			t, i := r/m, r%m
			var left, right []float32
			if k > 0 {
				left, right = x.A.Data[t*x.StrideA:], b.Data[t*x.StrideB:]
			}
			clear(acc)
			for q := range k {
				var v float32
				if x.A.Transposed {
					v = left[q*x.A.Stride+i]
				} else {
					v = left[i*x.A.Stride+q]
				}
				if b.Transposed {
					for j := range acc {
						acc[j] += v * right[j*b.Stride+q]
					}
				} else {
					row := right[q*b.Stride:][:n]
					for j := range acc {
						acc[j] += v * row[j]
					}
				}
			}
			PlainEpilogue(acc, x.C[t*x.StrideC+i*x.LDC:][:n], residualRow(x.Epilogue, x.LDC, t*x.StrideC, i), x.Epilogue)
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
