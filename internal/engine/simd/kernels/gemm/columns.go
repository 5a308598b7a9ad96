package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// slab is what of B is packed: columns from one on, a number of terms from one on.
type slab struct {
	column, from, terms int
}

const (
	// slabColumns of B, tile.BlockTerms terms each (393 KB), lie in the second-level cache beside a chunk of A.
	slabColumns = 256
	// ownRows is the most rows of a product whose tasks pack for themselves: more would pass all of A by too few
	// columns too often.
	ownRows = 1536
)

// columnParts is into how many tasks the columns fall if each packs its own, all of the same size if that can be;
// 0 if B had better be packed by all threads before.
func (g *product) columnParts(p *work.Pool, batch int) int {
	panels, t := (g.n+g.Wide-1)/g.Wide, p.Threads()
	switch {
	case batch != 1 || g.m > ownRows || panels < t:
		return 0
	case t == 1:
		return 1
	}
	parts, least := 0, 0
	for _, each := range []int{2, 1, 3, 4} { // two for a thread, where one is slower or busy
		if n := each * t; n <= panels {
			if longest := (panels + n - 1) / n * each; parts == 0 || longest < least {
				parts, least = n, longest
			}
		}
	}
	if least*t > panels+panels/8 { // threads would wait
		return 0
	}
	return parts
}

// byColumns computes a product whose tasks pack the columns of B that they need, a slab at a time: it is used at
// once, from the second-level cache, and no thread waits for what another packs.
func (g *product) byColumns(p *work.Pool) {
	parts, panels := g.columnParts(p, 1), (g.n+g.Wide-1)/g.Wide
	h := *g
	h.panel = h.Wide
	if parts == 1 {
		h.own(0, h.n)
		return
	}
	p.Run(parts, func(i int) {
		part := h
		part.own(i*panels/parts*h.Wide, min(h.n, (i+1)*panels/parts*h.Wide))
	})
}

// own computes columns j0 … j1.
func (g *product) own(j0, j1 int) {
	panels := (j1 - j0 + g.Wide - 1) / g.Wide
	slabs := (panels*g.Wide + slabColumns - 1) / slabColumns
	buf := work.Scratch((panels + slabs - 1) / slabs * g.Wide * min(tile.BlockTerms, g.k))
	defer buf.Release()
	g.packed = buf.Data
	for i := range slabs {
		from, to := j0+i*panels/slabs*g.Wide, min(j1, j0+(i+1)*panels/slabs*g.Wide)
		for k := 0; k < g.k; k += tile.BlockTerms {
			g.slab = slab{column: from, from: k, terms: min(tile.BlockTerms, g.k-k)}
			g.packOwn(to - from)
			for c := range g.chunks() {
				r0, r1 := g.chunk(c)
				g.rowsBySlab(r0, r1, to)
			}
		}
	}
}

// packOwn packs the slab, which has n columns.
func (g *product) packOwn(n int) {
	s := g.slab
	if g.b.Transposed {
		for j := 0; j < n; j += g.Wide {
			tile.PackPanel(g.packed[j*s.terms:], g.b, s.column*g.b.Stride+s.from, s.terms, n, j, g.Wide)
		}
		return
	}
	for k := 0; k < s.terms; k += tile.SlabRows {
		tile.PackSlab(g.packed, g.b, s.from*g.b.Stride+s.column, k, min(s.terms, k+tile.SlabRows), s.terms, n, g.Wide)
	}
}

// rowsBySlab multiplies rows r0 … r1 of A by the slab, whose columns end before j1.
func (g *product) rowsBySlab(r0, r1, j1 int) {
	s := g.slab
	last := s.from+s.terms == g.k
	for j := s.column; j < j1; {
		j += g.columns(0, r0, r1, j, j1, s.from, s.terms, last)
	}
	if last && g.finishes() {
		g.finish(0, r0, r1, s.column, j1)
	}
}
