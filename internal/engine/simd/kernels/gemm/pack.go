package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

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
func (g *product) untransposeA(p *work.Pool, batch int) *work.Buffer {
	count := batch
	if g.strideA == 0 {
		count = 1
	}
	stride := g.k + 16 // not a power of two
	buf := work.Scratch(count * g.m * stride)
	const group = 16 // rows a task
	tasks := (g.m + group - 1) / group
	p.Run(count*tasks, func(i int) {
		t, r := i/tasks, i%tasks*group
		vector.TransposeRows(buf.Data[(t*g.m+r)*stride:], g.a.Data[t*g.strideA+r:], g.k, min(group, g.m-r), stride, g.a.Stride)
	})
	g.a = tile.Matrix{Data: buf.Data, Stride: stride}
	if g.strideA != 0 {
		g.strideA = g.m * stride
	}
	return buf
}

// wantsPacking reports whether B is packed: that costs a pass over it, and reading it in place cache lines that lie badly.
func (g *product) wantsPacking() bool {
	return g.b.Transposed || (g.m >= 96 && conflictsInL1(g.b.Stride, min(g.k, tile.BlockTerms))) || (g.m >= 256 && g.k*g.n > 1<<15)
}

// packB packs B, or what of it cannot be read where it is.
func (g *product) packB(p *work.Pool, batch int) *work.Buffer {
	count := batch
	if g.strideB == 0 {
		count = 1
	}
	if g.wantsPacking() {
		g.panel, g.slab.terms = g.Wide, g.k
		panels := (g.n + g.Wide - 1) / g.Wide
		size := panels * g.k * g.Wide
		buf := work.Scratch(count * size)
		tile.PackPanels(p, buf.Data, g.b, g.strideB, count, g.k, g.n, g.Wide)
		g.packed = buf.Data
		if count > 1 {
			g.stridePacked = size
		}
		return buf
	}
	rest := g.n % g.Wide
	if rest == 0 || rest == g.Wide/2 {
		return nil
	}
	buf := work.Scratch(count * g.k * g.Wide)
	for t := range count {
		tile.PackPanel(buf.Data[t*g.k*g.Wide:], g.b, t*g.strideB, g.k, g.n, g.n-rest, g.Wide)
	}
	g.edge = buf.Data
	if count > 1 {
		g.strideEdge = g.k * g.Wide
	}
	return buf
}
