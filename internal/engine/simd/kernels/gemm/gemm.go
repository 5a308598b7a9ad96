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
	Residual       []float32         // [m, n] added last, or nil; it may be C itself only if Accumulate is unset
	ResidualStride int               // distance of the rows of Residual; 0 means ldc
}

// Gemm computes C = A·B with the epilogue e. A is m×k, B is k×n, C is m×n with rows ldc apart.
// k = 0 gives the epilogue of a zero product. C must not overlap A or B.
//
// Each element is one chain of fused multiply-adds in the order of k, cut every 384 terms
// (plain Go: multiply, then add).
func Gemm(p *work.Pool, m, n, k int, a, b tile.Matrix, c []float32, ldc int, e Epilogue) {
	GemmBatched(p, 1, m, n, k, a, 0, b, 0, c, ldc, 0, e)
}

// GemmBatched computes batch products: operand i starts at i·strideA, i·strideB, i·strideC of its
// slice (stride 0 shares the operand; strideC must not be 0 if batch > 1). A residual moves with C
// by strideC, the bias is shared.
func GemmBatched(p *work.Pool, batch, m, n, k int, a tile.Matrix, strideA int, b tile.Matrix, strideB int, c []float32, ldc, strideC int, e Epilogue) {
	if batch == 0 || m == 0 || n == 0 {
		return
	}
	checkGemm("Gemm", batch, m, n, a.Length(m, k), len(a.Data), strideA, c, ldc, strideC, e)
	if k > 0 {
		work.CheckLen("Gemm", "b", len(b.Data), (batch-1)*strideB+b.Length(k, n))
	}
	if l := level.Current(); l != level.Off && k > 0 {
		vectorGemm(p, l, batch, m, n, k, a, strideA, b, strideB, nil, c, ldc, strideC, e)
		return
	}
	plainGemm(p, batch, m, n, k, a, strideA, b, strideB, c, ldc, strideC, e)
}

func checkGemm(function string, batch, m, n, lengthA, haveA, strideA int, c []float32, ldc, strideC int, e Epilogue) {
	if lengthA > 0 {
		work.CheckLen(function, "a", haveA, (batch-1)*strideA+lengthA)
	}
	if ldc < n {
		panic("kernels." + function + ": rows of c overlap")
	}
	work.CheckLen(function, "c", len(c), (batch-1)*strideC+(m-1)*ldc+n)
	if e.Bias != nil {
		work.CheckLen(function, "bias", len(e.Bias), n)
	}
	if e.Residual != nil {
		s := e.ResidualStride
		if s == 0 {
			s = ldc
		}
		work.CheckLen(function, "residual", len(e.Residual), (batch-1)*strideC+(m-1)*s+n)
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

// GemmPacked is Gemm with a packed right operand.
func GemmPacked(p *work.Pool, m int, a tile.Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	if m == 0 || b.n == 0 {
		return
	}
	checkGemm("GemmPacked", 1, m, b.n, a.Length(m, b.k), len(a.Data), 0, c, ldc, 0, e)
	if b.format != tile.Float32 && b.k > 0 {
		gemmNarrow(p, m, a, b, c, ldc, e)
		return
	}
	if l := level.Current(); l != level.Off && b.k > 0 {
		vectorGemm(p, l, 1, m, b.n, b.k, a, 0, tile.Matrix{}, 0, b, c, ldc, 0, e)
		return
	}
	plainGemm(p, 1, m, b.n, b.k, a, 0, b.unpack(), 0, c, ldc, 0, e)
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
