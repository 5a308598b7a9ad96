package kernels

// conflictsInL1 reports whether count rows that far apart (floats) push each other out of a first-level cache
// of 64 sets and 8 ways: a stride near a power of two uses few of the sets.
func conflictsInL1(stride, count int) bool {
	sets := 64
	for step := 4 * stride; step%128 == 0 && sets > 1; step /= 2 {
		sets /= 2
	}
	return count > 4*sets
}

// untransposeA copies a transposed A to plain rows.
func (g *product) untransposeA(p *Pool, batch int) *buffer {
	count := batch
	if g.strideA == 0 {
		count = 1
	}
	stride := g.k + 16 // not a power of two
	buf := scratch(count * g.m * stride)
	const tile = 16 // rows a task
	tasks := (g.m + tile - 1) / tile
	p.Run(count*tasks, func(i int) {
		t, r := i/tasks, i%tasks*tile
		transposeRows(buf.data[(t*g.m+r)*stride:], g.a.Data[t*g.strideA+r:], g.k, min(tile, g.m-r), stride, g.a.Stride)
	})
	g.a = Matrix{Data: buf.data, Stride: stride}
	if g.strideA != 0 {
		g.strideA = g.m * stride
	}
	return buf
}

// wantsPacking reports whether B is packed: that costs a pass over it, and reading it in place cache lines that lie badly.
func (g *product) wantsPacking() bool {
	return g.b.Transposed || (g.m >= 96 && conflictsInL1(g.b.Stride, min(g.k, blockK))) || (g.m >= 256 && g.k*g.n > 1<<15)
}

// packB packs B, or what of it cannot be read where it is.
func (g *product) packB(p *Pool, batch int) *buffer {
	count := batch
	if g.strideB == 0 {
		count = 1
	}
	if g.wantsPacking() {
		g.panel, g.slab.terms = g.wide, g.k
		panels := (g.n + g.wide - 1) / g.wide
		size := panels * g.k * g.wide
		buf := scratch(count * size)
		packPanels(p, buf.data, g.b, g.strideB, count, g.k, g.n, g.wide)
		g.packed = buf.data
		if count > 1 {
			g.stridePacked = size
		}
		return buf
	}
	rest := g.n % g.wide
	if rest == 0 || rest == g.wide/2 {
		return nil
	}
	buf := scratch(count * g.k * g.wide)
	for t := range count {
		packPanel(buf.data[t*g.k*g.wide:], g.b, t*g.strideB, g.k, g.n, g.n-rest, g.wide)
	}
	g.edge = buf.data
	if count > 1 {
		g.strideEdge = g.k * g.wide
	}
	return buf
}

// slabRows is how many rows are packed at once.
const slabRows = 16

// packPanels packs count matrices k×n into panels of width columns.
func packPanels(p *Pool, dst []float32, b Matrix, stride, count, k, n, width int) {
	panels := (n + width - 1) / width
	if !b.Transposed && panels > 1 {
		// Slab by slab of rows: memory is read in order, and each panel gets a run of whole lines.
		slabs := (k + slabRows - 1) / slabRows
		p.For(count*slabs, max(1, 16384/(slabRows*n)), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				from := i % slabs * slabRows
				packSlab(dst[i/slabs*panels*k*width:], b, i/slabs*stride, from, min(k, from+slabRows), k, n, width)
			}
		})
		return
	}
	p.For(count*panels, max(1, 16384/(k*width)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			packPanel(dst[i*k*width:], b, i/panels*stride, k, n, i%panels*width, width)
		}
	})
}

// packSlab packs rows from … to of the matrix at start into all panels.
func packSlab(dst []float32, b Matrix, start, from, to, k, n, width int) {
	if from == to {
		return
	}
	wide := width == 32 && Path() >= AVX512 && !plainTiles
	whole := n / width * width
	for j := 0; j < whole; j += width {
		src, dst := b.Data[start+from*b.Stride+j:], dst[j*k+from*width:][:(to-from)*width]
		_ = src[(to-from-1)*b.Stride+width-1]
		switch {
		case wide:
			widePack(&dst[0], &src[0], 4*b.Stride, to-from)
		case width == 16: // array copies need no call
			for q := range to - from {
				*(*[16]float32)(dst[q*16:]) = *(*[16]float32)(src[q*b.Stride:])
			}
		default:
			for q := range to - from {
				copy(dst[q*width:][:width], src[q*b.Stride:])
			}
		}
	}
	if whole == n {
		return
	}
	for q := from; q < to; q++ {
		row := dst[whole*k+q*width:][:width]
		clear(row[copy(row[:n-whole], b.Data[start+q*b.Stride+whole:]):])
	}
}

// packPanel packs columns j … j+width of the matrix at start: term by term, filled up with zeros.
func packPanel(dst []float32, b Matrix, start, k, n, j, width int) {
	w := min(width, n-j)
	dst = dst[:k*width]
	if b.Transposed {
		if w < width {
			clear(dst)
		}
		transposeRows(dst, b.Data[start+j*b.Stride:], w, k, width, b.Stride)
		return
	}
	b.Data = b.Data[j:]
	packSlab(dst, b, start, 0, k, k, w, width)
}
