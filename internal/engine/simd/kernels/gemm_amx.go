package kernels

import "unsafe"

const (
	// amxSlice is how many words of the sum are added up before C is stored: 512 terms, whose part of a panel of B is
	// 32 KB. Longer sums read C again, which changes no bit.
	amxSlice = 256
	// amxChunk is how many rows of A pass a panel at a time: 256 rows of 256 words stay in the second-level cache.
	amxChunk = 256
)

// amxProduct is a product of rounded operands by tiles.
type amxProduct struct {
	run         amxRunner
	m, n, pairs int
	a           []uint32 // rows of words
	stride      int
	b           []float32 // panels
	c           []float32
	ldc         int
}

// gemmAMX multiplies the words of A, rows of stride words, by B and applies the epilogue.
func gemmAMX(p *Pool, run amxRunner, m int, a []uint32, stride int, b *PackedB, c []float32, ldc int, e Epilogue) {
	g := amxProduct{run: run, m: m, n: b.n, pairs: (b.k + 1) / 2, a: a, stride: stride, b: b.data, c: c, ldc: ldc}
	apart := e.Accumulate || e.Alpha != 0 && e.Alpha != 1 || e.Residual != nil && &e.Residual[0] == &c[0]
	if apart { // what C holds is wanted yet
		buf := scratch(m * g.n)
		defer buf.release()
		g.c, g.ldc = buf.data, g.n
	}
	if float64(m)*float64(g.n)*float64(b.k)*2 < amxParallelFLOP {
		p = nil
	}
	panels, chunks := (g.n+amxWide-1)/amxWide, (m+amxChunk-1)/amxChunk
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
			j0, j1 := p0*amxWide, min(g.n, p1*amxWide)
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
		binaryRow(Mul, product, product, nil, 0, e.Alpha)
	}
	if e.Accumulate {
		binaryRow(Add, c, product, c, 0, 0)
		product = c
	}
	if e.Bias != nil {
		binaryRow(Add, product, product, e.Bias[j0:j0+n], 0, 0)
	}
	switch e.Activation {
	case GELU:
		unary(Gelu, product, product)
	case QuickGELU:
		unary(Quick, product, product)
	case ReLU:
		unary(Relu, product, product)
	}
	switch {
	case e.Residual != nil:
		binaryRow(Add, c, product, residualRow(e, ldc, 0, r)[j0:j0+n], 0, 0)
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
	j, rows := p*amxWide, r1-r0
	if rows <= amxRows && p+1 < end && j+2*amxWide <= g.n {
		g.blocks(amx1x4, r0, rows, p, from, count, g.c[r0*g.ldc+j:], g.ldc)
		return 2
	}
	c, ldc := g.c[r0*g.ldc+j:], g.ldc
	width := min(amxWide, g.n-j)
	if width < amxWide { // a tile would write past C's columns
		buf := scratch(rows * amxWide)
		defer buf.release()
		if from > 0 {
			for i := range rows {
				copy(buf.data[i*amxWide:][:width], c[i*ldc:])
				clear(buf.data[i*amxWide+width:][:amxWide-width])
			}
		}
		c, ldc = buf.data, amxWide
		defer func() {
			for i := range rows {
				copy(g.c[(r0+i)*g.ldc+j:][:width], buf.data[i*amxWide:])
			}
		}()
	}
	whole := rows / (2 * amxRows) * 2 * amxRows
	if whole > 0 {
		g.blocks(amx2x2, r0, whole, p, from, count, c, ldc)
	}
	switch rest := rows - whole; {
	case rest > amxRows:
		g.blocks(amx2x2, r0+whole, rest, p, from, count, c[whole*ldc:], ldc)
	case rest > 0:
		g.blocks(amx1x2, r0+whole, rest, p, from, count, c[whole*ldc:], ldc)
	}
	return 1
}

// blocks runs a microkernel over rows from r on: whole steps first, then the last words, whose tiles are smaller.
func (g *amxProduct) blocks(kind amxKind, r, rows, p, from, count int, c []float32, ldc int) {
	columns := amxWide
	if kind == amx1x4 {
		columns = 2 * amxWide
	}
	a, b := g.a[r*g.stride+from:], g.b[(p*g.pairs+from)*amxWide:]
	_ = a[(rows-1)*g.stride+count-1]
	_ = g.b[((p+columns/amxWide-1)*g.pairs+from+count)*amxWide-1]
	_ = c[(rows-1)*ldc+columns-1]
	t := amxTile{a: unsafe.Pointer(&a[0]), b: unsafe.Pointer(&b[0]), c: unsafe.Pointer(&c[0]), blocks: 1, steps: count / amxWords,
		rowA: 4 * g.stride, row16A: 4 * amxRows * g.stride, blockA: 8 * amxRows * g.stride,
		rowC: 4 * ldc, row16C: 4 * amxRows * ldc, blockC: 8 * amxRows * ldc, panelB: 4 * amxWide * g.pairs}
	if kind == amx2x2 && rows > 2*amxRows {
		t.blocks = rows / (2 * amxRows)
		rows = 2 * amxRows
	}
	if from > 0 {
		t.flags = tileAccumulate
	}
	if t.steps > 0 {
		t.configure(kind, rows, amxWords)
		blocks := t.blocks
		g.run(kind, &t)
		t.blocks, t.flags = blocks, tileAccumulate
	}
	if rest := count % amxWords; rest > 0 {
		done := count - rest
		t.a, t.b = unsafe.Pointer(&a[done]), unsafe.Pointer(&b[done*amxWide])
		t.steps = 1
		t.configure(kind, rows, rest)
		g.run(kind, &t)
	}
}
