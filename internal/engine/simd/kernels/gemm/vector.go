package gemm

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

const (
	// blockM rows of A (96·384 floats, 147 KB) stay in the second-level cache while panels of B pass.
	blockM = 96
)

// product is a Product on its way through the vector path.
type product struct {
	tile.Shape
	m, n, k      int
	a            tile.Matrix
	strideA      int
	b            tile.Matrix
	strideB      int
	packed       []float32 // panels of B, or nil: read b itself
	panel        int       // columns of a packed panel
	slab         slab      // what of B is packed
	stridePacked int
	edge         []float32 // the last, partial panel, packed, where b is read itself
	strideEdge   int
	c            []float32
	ldc, strideC int
	e            Epilogue
	alpha        float32
	tiles        amx.Runner // multiplies bytes, or nil: then the microkernels of the shape do
}

// runVector is Run on vector instructions.
func (x Product) runVector(p *work.Pool, l level.Level) {
	if x.Residual != nil && &x.Residual[0] == &x.C[0] && (x.ResidualStride == 0 || x.ResidualStride == x.LDC) {
		if x.Activation != vector.NoActivation {
			x.residualInPlace(p, l)
			return
		}
		x.Residual, x.Accumulate = nil, true
	}
	m, n, k := x.M, x.N, x.K
	g := product{Shape: tile.ShapeOf(l), m: m, n: n, k: k, a: x.A, strideA: x.StrideA, b: x.B, strideB: x.StrideB,
		c: x.C, ldc: x.LDC, strideC: x.StrideC, e: x.Epilogue, alpha: x.Alpha}
	if g.alpha == 0 {
		g.alpha = 1
	}
	worth := float64(tile.ParallelFLOP)
	if l == tile.Int8Tiles {
		if g.tiles = amx.UseBytes(); g.tiles != nil {
			g.Rows, worth = 2*amx.Rows, amxParallelFLOP/4 // k counts words of four terms
		}
	}
	if float64(m)*float64(n)*float64(k)*float64(x.Batch)*2 < worth {
		p = nil
	}
	if x.Packed != nil {
		g.packed, g.panel, g.slab.terms = x.Packed.data, x.Packed.panel, k
		if g.panel%g.Wide != 0 {
			g.Shape = tile.ShapeOf(level.AVX2) // packed for narrower registers
		}
	}
	if x.A.Transposed && m > 1 && n >= 2*g.Wide && conflictsInL1(x.A.Stride, min(k, tile.BlockTerms)) {
		defer g.untransposeA(p, x.Batch).Release()
	}
	if x.Packed == nil {
		if g.wantsPacking() && g.columnParts(p, x.Batch) > 0 {
			g.byColumns(p)
			return
		}
		if buf := g.packB(p, x.Batch); buf != nil {
			defer buf.Release()
		}
	}
	g.all(p, x.Batch)
}

// tasksPerThread is how finely a product is split at least: threads end within a fraction of a task of each other.
const tasksPerThread = 4

// all splits the product into tasks: chunks of rows, as even as whole blocks allow, and of columns where
// rows are too few.
func (g *product) all(p *work.Pool, batch int) {
	chunks := g.chunks()
	width := g.Wide
	if g.packed != nil {
		width = g.panel
	}
	panels := (g.n + width - 1) / width
	columns, n := 1, batch*chunks
	if t := p.Threads(); t > 1 {
		for columns < panels && (columns*n < tasksPerThread*t || columns*n%t != 0 && columns*n < 4*tasksPerThread*t) {
			columns++ // to as many tasks for each thread
		}
	}
	per := (panels + columns - 1) / columns
	columns = (panels + per - 1) / per
	if p.Threads() == 1 && batch*chunks*columns == 1 {
		g.task(0, 0, g.m, 0, g.n) // no closure for the small ones
		return
	}
	h := *g
	p.Run(batch*chunks*columns, func(i int) {
		t, i := i/(chunks*columns), i%(chunks*columns)
		c, q := i/columns, i%columns*per*width
		r0, r1 := h.chunk(c)
		h.task(t, r0, r1, q, min(h.n, q+per*width))
	})
}

// chunks is how many pieces of at most about blockM rows A falls into (by tiles amxChunk, as CPUs with AMX have larger
// caches), chunk one of them: whole blocks, as even as these allow.
func (g *product) chunks() int {
	most := blockM
	if g.tiles != nil {
		most = amxChunk
	}
	return (g.m + most - 1) / most
}

func (g *product) chunk(i int) (from, to int) {
	n, blocks := g.chunks(), (g.m+g.Rows-1)/g.Rows
	return i * blocks / n * g.Rows, min(g.m, (i+1)*blocks/n*g.Rows)
}

// finishColumns is how many columns of a task get their activation and residual at once: 96 rows of
// them lie in the second-level cache since they were computed.
const finishColumns = 256

// task computes rows r0 … r1, columns j0 … j1 of product t.
func (g *product) task(t, r0, r1, j0, j1 int) {
	finishes := g.finishes()
	for from := 0; from < g.k; from += tile.BlockTerms {
		terms := min(tile.BlockTerms, g.k-from)
		last := from+terms == g.k
		done := j0
		for j := j0; j < j1; {
			j += g.columns(t, r0, r1, j, j1, from, terms, last)
			if last && finishes && (j-done >= finishColumns || j >= j1) {
				g.finish(t, r0, r1, done, min(j, j1))
				done = j
			}
		}
	}
}

// finishes reports whether finish has something to do.
func (g *product) finishes() bool {
	return g.e.Activation == vector.GELU || g.e.Activation == vector.QuickGELU || g.e.Residual != nil
}

// finish does what the microkernel does not: activations but for ReLU, and a residual.
func (g *product) finish(t, r0, r1, j0, j1 int) {
	e := &g.e
	for i := r0; i < r1; i++ {
		row := g.c[t*g.strideC+i*g.ldc:][j0:j1]
		switch e.Activation {
		case vector.GELU:
			vector.UnaryRow(vector.Gelu, row, row)
		case vector.QuickGELU:
			vector.UnaryRow(vector.Quick, row, row)
		}
		if e.Residual != nil {
			vector.BinaryRow(vector.Add, row, row, residualRow(*e, g.ldc, t*g.strideC, i)[j0:j1], 0, 0)
		}
	}
}

// columns does one kernel's width of columns from j on, and says how many they were.
func (g *product) columns(t, r0, r1, j, j1, from, terms int, last bool) int {
	left := min(j1, g.n) - j
	kernel := g.Wide
	if left <= g.Wide/2 && g.tiles == nil {
		kernel = g.Wide / 2
	}
	width := min(left, kernel)
	var x tile.Call
	x.Inner, x.Outer = terms, 1
	x.Alpha = g.alpha
	// B
	switch {
	case g.packed != nil:
		s := g.slab
		b := g.packed[t*g.stridePacked+(j-s.column)/g.panel*s.terms*g.panel+(from-s.from)*g.panel+j%g.panel:]
		_ = b[(terms-1)*g.panel+min(kernel, g.panel-j%g.panel)-1]
		x.B, x.RowB = unsafe.Pointer(&b[0]), 4*g.panel
	case width < kernel:
		b := g.edge[t*g.strideEdge+from*g.Wide:]
		_ = b[(terms-1)*g.Wide+kernel-1]
		x.B, x.RowB = unsafe.Pointer(&b[0]), 4*g.Wide
	default:
		b := g.b.Data[t*g.strideB+from*g.b.Stride+j:]
		_ = b[(terms-1)*g.b.Stride+kernel-1]
		x.B, x.RowB = unsafe.Pointer(&b[0]), 4*g.b.Stride
	}
	// A
	a := g.a.Data[t*g.strideA:]
	if g.a.Transposed {
		a = a[from*g.a.Stride+r0:]
		_ = a[(terms-1)*g.a.Stride+r1-r0-1]
		x.RowA, x.ColA = 4, 4*g.a.Stride
	} else {
		a = a[r0*g.a.Stride+from:]
		_ = a[(r1-r0-1)*g.a.Stride+terms-1]
		x.RowA, x.ColA = 4*g.a.Stride, 4
	}
	if g.Level == tile.Pairs256Tiles || g.Level == tile.Pairs512Tiles {
		a, x.ColA = a[from:], 8 // two words where others have one
	}
	x.A = unsafe.Pointer(&a[0])
	// C and the epilogue
	if from > 0 || g.e.Accumulate {
		x.Flags = tile.Accumulate
	}
	if last && g.e.Activation == vector.ReLU {
		x.Flags |= tile.ReLU
	}
	c := g.c[t*g.strideC+r0*g.ldc+j:]
	_ = c[(r1-r0-1)*g.ldc+width-1]
	x.C, x.RowC = unsafe.Pointer(&c[0]), 4*g.ldc
	biased := last && g.e.Bias != nil
	if width == kernel {
		if biased {
			x.Bias = unsafe.Pointer(&g.e.Bias[j : j+width][0])
		}
		g.multiply(&x, r1-r0, kernel)
		return width
	}
	// A partial panel goes through working memory: a full kernel would write past C's columns.
	buf := work.Scratch((r1-r0)*kernel + kernel)
	bias, tmp := buf.Data[:kernel], buf.Data[kernel:]
	if biased {
		clear(bias)
		copy(bias, g.e.Bias[j:j+width])
		x.Bias = unsafe.Pointer(&bias[0])
	}
	if x.Flags&tile.Accumulate != 0 {
		for i := range r1 - r0 {
			copy(tmp[i*kernel:][:width], c[i*g.ldc:])
		}
	}
	x.C, x.RowC = unsafe.Pointer(&tmp[0]), 4*kernel
	g.multiply(&x, r1-r0, kernel)
	for i := range r1 - r0 {
		copy(c[i*g.ldc:][:width], tmp[i*kernel:])
	}
	buf.Release()
	return width
}

// multiply runs the microkernels over rows.
func (g *product) multiply(x *tile.Call, rows, kernel int) {
	if g.tiles != nil {
		multiplyBytes(g.tiles, x, rows)
		return
	}
	g.Run(x, rows, kernel)
}

// residualInPlace handles a residual that lies where C goes while an activation comes between.
func (x Product) residualInPlace(p *work.Pool, l level.Level) {
	buf := work.Scratch(x.Batch * x.M * x.N)
	defer buf.Release()
	apart := x
	apart.Residual, apart.C, apart.LDC, apart.StrideC = nil, buf.Data, x.N, x.M*x.N
	apart.runVector(p, l)
	p.For(x.Batch*x.M, max(1, 8192/x.N), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := x.C[r/x.M*x.StrideC+r%x.M*x.LDC:][:x.N]
			vector.BinaryRow(vector.Add, row, row, buf.Data[r*x.N:][:x.N], 0, 0)
		}
	})
}
