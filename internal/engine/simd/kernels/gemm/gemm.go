// Package gemm multiplies matrices. Read gemm.go (what a product is), vector.go (blocking), pack.go and columns.go
// (who packs B, and when), then the narrow formats: bf16.go, bf16_changing.go, int8.go, pairs.go and amx.go.
package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Epilogue says what becomes of a product P = A·B:
//
//	C = act(Alpha·P + (C if Accumulate) + Bias) + Residual
//
// The zero value is C = P.
type Epilogue struct {
	Alpha          float32           // 0 means 1
	Accumulate     bool              // add to what C holds
	Bias           []float32         // one per column, or nil
	Activation     vector.Activation // applied after the bias
	Residual       []float32         // [M, N] added last, or nil; it may be C itself only if Accumulate is unset
	ResidualStride int               // distance of the rows of Residual; 0 means LDC
}

// Product is a product of matrices, C = A·B, with an epilogue. C must not overlap A or B.
type Product struct {
	M, N, K int         // A is M×K, B is K×N, C is M×N; N and K are those of Packed, where it is set
	A, B    tile.Matrix // B is not looked at where Packed is set
	Packed  *PackedB    // B, packed before, in any format; or nil
	C       []float32
	LDC     int // distance of the rows of C
	Epilogue
	// Batch is how many products there are, 0 for one; of a packed B there is one. Operand i starts at i·StrideA, i·StrideB
	// and i·StrideC of its slice: 0 shares A or B. A residual moves with C, the bias is shared.
	Batch                     int
	StrideA, StrideB, StrideC int
}

// Run computes C. K = 0 gives the epilogue of a zero product.
//
// Each element is one chain of fused multiply-adds in the order of K, cut every 384 terms
// (plain Go: multiply, then add), unless Packed is in a narrow format.
func (x Product) Run(p *work.Pool) {
	x.Batch = max(x.Batch, 1)
	if x.Packed != nil {
		x.K, x.N = x.Packed.Shape()
	}
	if x.M == 0 || x.N == 0 {
		return
	}
	x.check("Product.Run")
	switch l := level.Current(); {
	case x.Packed != nil && x.Packed.format != tile.Float32 && x.K > 0:
		x.runNarrow(p)
	case l != level.Off && x.K > 0:
		x.runVector(p, l)
	default:
		x.runPlain(p)
	}
}

// check panics where a slice is too short.
func (x *Product) check(function string) {
	if n := x.A.Length(x.M, x.K); n > 0 {
		work.CheckLen(function, "a", len(x.A.Data), (x.Batch-1)*x.StrideA+n)
	}
	if x.Packed == nil && x.K > 0 {
		work.CheckLen(function, "b", len(x.B.Data), (x.Batch-1)*x.StrideB+x.B.Length(x.K, x.N))
	}
	if x.LDC < x.N {
		panic("kernels." + function + ": rows of c overlap")
	}
	work.CheckLen(function, "c", len(x.C), (x.Batch-1)*x.StrideC+(x.M-1)*x.LDC+x.N)
	if x.Bias != nil {
		work.CheckLen(function, "bias", len(x.Bias), x.N)
	}
	if x.Residual != nil {
		s := x.ResidualStride
		if s == 0 {
			s = x.LDC
		}
		work.CheckLen(function, "residual", len(x.Residual), (x.Batch-1)*x.StrideC+(x.M-1)*s+x.N)
	}
}

// PackedB is the right operand of a product in the order in which the kernel reads it: pack a
// weight once, use it in many products, from any goroutine.
type PackedB struct {
	format tile.Format
	k, n   int
	panel  int       // columns of a panel
	data   []float32 // panels, each term by term
}

// Shape gives the rows and columns of the packed matrix.
func (b *PackedB) Shape() (k, n int) { return b.k, b.n }

// Bytes is how much memory it takes.
func (b *PackedB) Bytes() int { return 4 * len(b.data) }

// PackB packs the k×n operand b. The result does not refer to b's slice.
func PackB(p *work.Pool, k, n int, b tile.Matrix) *PackedB {
	work.CheckLen("PackB", "b", len(b.Data), b.Length(k, n))
	width := tile.ShapeOf(level.Current()).Wide
	r := &PackedB{k: k, n: n, panel: width, data: make([]float32, (n+width-1)/width*k*width)}
	if k > 0 && n > 0 {
		tile.PackPanels(p, r.data, b, 0, 1, k, n, width)
	}
	return r
}

// unpack gives the matrix back, for plain Go.
func (b *PackedB) unpack() tile.Matrix {
	x := make([]float32, b.k*b.n)
	for j := 0; j < b.n; j += b.panel {
		w := min(b.panel, b.n-j)
		for q := range b.k {
			copy(x[q*b.n+j:][:w], b.data[(j/b.panel*b.k+q)*b.panel:])
		}
	}
	return tile.Matrix{Data: x, Stride: b.n}
}
