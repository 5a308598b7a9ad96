package gemm

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

const (
	// amxSlice is how many words of the sum are added up before C is stored: 512 terms, whose part of a panel of B is
	// 32 KB. Longer sums read C again, which changes no bit.
	amxSlice = 256
	// amxChunk is how many rows of A pass a panel at a time: 256 rows of 256 words stay in the second-level cache.
	amxChunk = 256
)

// amxProduct is a product of rounded operands by tiles.
type amxProduct struct {
	run         amx.Runner
	m, n, pairs int
	a           []uint32 // rows of words
	stride      int
	b           []float32 // panels
	c           []float32
	ldc         int
}

// byTiles multiplies by tiles of bfloat16; A holds rounded words already.
func (x Product) byTiles(p *work.Pool, run amx.Runner) {
	m, c, ldc, e := x.M, x.C, x.LDC, x.Epilogue
	g := amxProduct{run: run, m: m, n: x.N, pairs: (x.K + 1) / 2, a: tile.Words(x.A.Data), stride: x.A.Stride, b: x.Packed.data, c: c, ldc: ldc}
	apart := e.Accumulate || e.Alpha != 0 && e.Alpha != 1 || e.Residual != nil && &e.Residual[0] == &c[0]
	if apart { // what C holds is wanted yet
		buf := work.Scratch(m * g.n)
		defer buf.Release()
		g.c, g.ldc = buf.Data, g.n
	}
	if float64(m)*float64(g.n)*float64(x.K)*2 < amxParallelFLOP {
		p = nil
	}
	panels, chunks := (g.n+amx.Wide-1)/amx.Wide, (m+amxChunk-1)/amxChunk
	columns := 1
	for t := p.Threads(); t > 1 && columns < panels && columns*chunks < tasksPerThread*t; {
		columns++
	}
	p.Run(chunks*columns, func(i int) {
		chunk, part := i/columns, i%columns
		r0, r1 := chunk*amxChunk, min(m, (chunk+1)*amxChunk)
		p0, p1 := part*panels/columns, (part+1)*panels/columns
		g.task(r0, r1, p0, p1)
		for r := r0; r < r1; r++ {
			j0, j1 := p0*amx.Wide, min(g.n, p1*amx.Wide)
			e.finishRow(c[r*ldc:][j0:j1], g.c[r*g.ldc:][j0:j1], r, j0, ldc)
		}
	})
}

// amxParallelFLOP is how large a product by tiles must be to be worth waking a second thread, which takes about 20 µs.
const amxParallelFLOP = 1 << 26

// finishRow makes of a row of the product the same columns of row r of C, from column j0 on.
func (e Epilogue) finishRow(c, product []float32, r, j0, ldc int) {
	n := len(c)
	if e.Alpha != 0 && e.Alpha != 1 {
		vector.BinaryRow(vector.Mul, product, product, nil, 0, e.Alpha)
	}
	if e.Accumulate {
		vector.BinaryRow(vector.Add, c, product, c, 0, 0)
		product = c
	}
	if e.Bias != nil {
		vector.BinaryRow(vector.Add, product, product, e.Bias[j0:j0+n], 0, 0)
	}
	switch e.Activation {
	case vector.GELU:
		vector.UnaryRow(vector.Gelu, product, product)
	case vector.QuickGELU:
		vector.UnaryRow(vector.Quick, product, product)
	case vector.ReLU:
		vector.UnaryRow(vector.Relu, product, product)
	}
	switch {
	case e.Residual != nil:
		vector.BinaryRow(vector.Add, c, product, residualRow(e, ldc, 0, r)[j0:j0+n], 0, 0)
	case &c[0] != &product[0]:
		copy(c, product)
	}
}

// task computes rows r0 … r1 of panels p0 … p1, without the epilogue.
func (g *amxProduct) task(r0, r1, p0, p1 int) {
	for from := 0; from < g.pairs; from += amxSlice {
		for p := p0; p < p1; {
			p += g.panels(r0, r1, p, p1, from, min(amxSlice, g.pairs-from))
		}
	}
}

// panels adds words from … from+count to one panel of C, or two where few rows leave the multipliers waiting otherwise,
// and says how many panels it were.
func (g *amxProduct) panels(r0, r1, p, end, from, count int) int {
	j, rows := p*amx.Wide, r1-r0
	if rows <= amx.Rows && p+1 < end && j+2*amx.Wide <= g.n {
		g.blocks(amx.Kernel1x4, r0, rows, p, from, count, g.c[r0*g.ldc+j:], g.ldc)
		return 2
	}
	c, ldc := g.c[r0*g.ldc+j:], g.ldc
	width := min(amx.Wide, g.n-j)
	if width < amx.Wide { // a tile would write past C's columns
		buf := work.Scratch(rows * amx.Wide)
		defer buf.Release()
		if from > 0 {
			for i := range rows {
				copy(buf.Data[i*amx.Wide:][:width], c[i*ldc:])
				clear(buf.Data[i*amx.Wide+width:][:amx.Wide-width])
			}
		}
		c, ldc = buf.Data, amx.Wide
		defer func() {
			for i := range rows {
				copy(g.c[(r0+i)*g.ldc+j:][:width], buf.Data[i*amx.Wide:])
			}
		}()
	}
	whole := rows / (2 * amx.Rows) * 2 * amx.Rows
	if whole > 0 {
		g.blocks(amx.Kernel2x2, r0, whole, p, from, count, c, ldc)
	}
	switch rest := rows - whole; {
	case rest > amx.Rows:
		g.blocks(amx.Kernel2x2, r0+whole, rest, p, from, count, c[whole*ldc:], ldc)
	case rest > 0:
		g.blocks(amx.Kernel1x2, r0+whole, rest, p, from, count, c[whole*ldc:], ldc)
	}
	return 1
}

// blocks runs a microkernel over rows from r on: whole steps first, then the last words, whose tiles are smaller.
func (g *amxProduct) blocks(kind amx.Kind, r, rows, p, from, count int, c []float32, ldc int) {
	columns := amx.Wide
	if kind == amx.Kernel1x4 {
		columns = 2 * amx.Wide
	}
	a, b := g.a[r*g.stride+from:], g.b[(p*g.pairs+from)*amx.Wide:]
	_ = a[(rows-1)*g.stride+count-1]
	_ = g.b[((p+columns/amx.Wide-1)*g.pairs+from+count)*amx.Wide-1]
	_ = c[(rows-1)*ldc+columns-1]
	t := amx.Call{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), C: unsafe.Pointer(&c[0]), Blocks: 1,
		RowA: 4 * g.stride, Row16A: 4 * amx.Rows * g.stride, BlockA: 8 * amx.Rows * g.stride,
		RowC: 4 * ldc, Row16C: 4 * amx.Rows * ldc, BlockC: 8 * amx.Rows * ldc, PanelB: 4 * amx.Wide * g.pairs}
	if kind == amx.Kernel2x2 && rows > 2*amx.Rows {
		t.Blocks = rows / (2 * amx.Rows)
		rows = 2 * amx.Rows
	}
	if from > 0 {
		t.Flags = tile.Accumulate
	}
	t.Sum(g.run, kind, rows, count)
}
