package attention

import (
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// The vector path takes a block of queries at a time: their scores against all keys (at most
// scoreBlock floats, or six queries) live in working memory of the thread, never the whole matrix.
// The backward pass computes them again from the stored log-sums.

const scoreBlock = 1 << 15

// head is one head's matrices, copied to dense rows that kernels can read to their full width.
type head struct {
	tile.Shape
	Attention
	q, k, g         []float32 // queries, keys, and the gradient of the output
	keys, vals      []float32 // k and v transposed, in panels of wide keys
	v               []float32 // in panels of wide columns
	width, valWidth int       // floats of a row: Width and ValueWidth rounded up
	columns         int       // Keys rounded up
	rows            int       // queries in a block
	scores, slopes  []float32 // [rows, columns]
	out, dq, dk, dv []float32
	inverse         []float32 // [rows] 1/denominator
	// rounded says that products are in bfloat16: keys, v and q hold words then, pairs of neighbouring terms.
	rounded bool
	seen    int // keys that are packed
	scratch *work.Buffer
}

// piece is a matrix of a head's working memory.
type piece struct {
	to   *[]float32
	size int
}

// newHead gives working memory for one head; grad reports whether the backward pass wants it.
func newHead(l level.Level, s Attention, grad bool) *head {
	h := &head{Shape: tile.ShapeOf(l), Attention: s, rounded: s.Rounded && !grad && l >= level.AVX512BF16}
	if h.rounded {
		h.Shape = tile.ShapeOf(tile.BF16Tiles)
	}
	h.width, h.valWidth, h.columns = h.RoundUp(s.Width), h.RoundUp(s.ValueWidth), h.RoundUp(s.Keys)
	h.rows = min(s.Queries, max(h.Shape.Rows, min(96, scoreBlock/h.columns)/h.Shape.Rows*h.Shape.Rows))
	panels := (s.Keys + h.Wide - 1) / h.Wide * h.Wide
	columns := (s.ValueWidth + h.Wide - 1) / h.Wide * h.Wide
	sizes := []piece{
		{&h.keys, panels * s.Width}, {&h.scores, h.rows * h.columns},
		{&h.v, s.Keys * columns}, {&h.out, h.rows * h.valWidth}, {&h.inverse, h.rows},
		{&h.q, s.Queries * h.width}, {&h.k, s.Keys * h.width}, {&h.g, s.Queries * h.valWidth}, {&h.vals, panels * s.ValueWidth},
		{&h.slopes, h.rows * h.columns}, {&h.dq, h.rows * h.width}, {&h.dk, s.Keys * h.width}, {&h.dv, s.Keys * h.valWidth},
	}
	switch {
	case grad:
		sizes = slices.Delete(sizes, 2, 5)
	case h.rounded:
		sizes = h.roundedPieces()
	default:
		sizes = sizes[:5]
	}
	total := 0
	for _, x := range sizes {
		total += x.size
	}
	h.scratch = work.Scratch(total)
	rest := h.scratch.Data
	for _, x := range sizes {
		*x.to, rest = rest[:x.size:x.size], rest[x.size:]
	}
	return h
}

// gather copies rows to dense ones of width floats, filled up with zeros.
func gather(dst, src []float32, rows, used, width, start, stride int) {
	for i := range rows {
		to := dst[i*width:][:width]
		clear(to[copy(to[:used], src[start+i*stride:]):])
	}
}

// most is how many keys any of the queries from … to sees.
func (h *head) most(b, from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		n = max(n, h.visible(b, i))
	}
	return n
}

// pack brings keys and values into panels; n keys are seen at most.
func (h *head) pack(k []float32, strideK int, v []float32, strideV, n int) {
	if h.rounded {
		h.packRounded(k, strideK, v, strideV, n)
		return
	}
	for j := 0; j < h.ValueWidth; j += h.Wide {
		tile.PackPanel(h.v[j*h.Keys:], tile.Matrix{Data: v, Stride: strideV}, 0, h.Keys, h.ValueWidth, j, h.Wide)
	}
	h.Panels(h.keys, k, h.Keys, h.Width, 0, strideK)
}

// weigh sums the values by the exponentials of the first n keys, for a block of rows.
func (h *head) weigh(rows, n int) {
	if h.rounded {
		h.weighRounded(rows, n)
		return
	}
	w := tile.Walk{Shape: h.Shape, A: h.scores, RowA: h.columns, ColA: 1, M: rows, Inner: n, Outer: 1,
		B: h.v, RowB: h.Wide, PanelB: h.Keys * h.Wide, C: h.out, RowC: h.valWidth, Columns: h.valWidth}
	w.Run()
}

// rowScores computes Scale·q·kᵀ for rows of q, stride apart, and the first n keys.
func (h *head) rowScores(q []float32, stride, rows, n int) {
	if h.rounded {
		h.rowScoresRounded(q, stride, rows, n)
		return
	}
	w := tile.Walk{Shape: h.Shape, A: q, RowA: stride, ColA: 1, M: rows, Inner: h.Width, Outer: 1,
		B: h.keys, RowB: h.Wide, PanelB: h.Width * h.Wide, C: h.scores, RowC: h.columns, Columns: h.RoundUp(n), Alpha: h.Scale}
	w.Run()
}

func (s Attention) vectorForward(p *work.Pool, l level.Level, out, lse, q, k, v []float32) {
	if float64(s.Batch*s.Heads)*float64(s.Queries)*float64(s.Keys)*float64(s.Width+s.ValueWidth)*2 < tile.ParallelFLOP {
		p = nil
	}
	p.For(s.Batch*s.Heads, 1, func(lo, hi int) {
		h := newHead(l, s, false)
		defer h.scratch.Release()
		for i := lo; i < hi; i++ {
			var sums []float32
			if lse != nil {
				sums = lse[i*s.Queries:][:s.Queries]
			}
			h.forward(i/s.Heads, i%s.Heads, out, sums, q, k, v)
		}
	})
}

func (h *head) forward(b, n int, out, lse, q, k, v []float32) {
	q0, qs := h.at(b, n, h.Queries, h.Width)
	k0, ks := h.at(b, n, h.Keys, h.Width)
	v0, vs := h.at(b, n, h.Keys, h.ValueWidth)
	o0, os := h.at(b, n, h.Queries, h.ValueWidth)
	h.pack(k[k0:], ks, v[v0:], vs, h.most(b, 0, h.Queries))
	for from := 0; from < h.Queries; from += h.rows {
		to := min(h.Queries, from+h.rows)
		most := h.most(b, from, to)
		if most > 0 {
			h.rowScores(q[q0+from*qs:], qs, to-from, most)
		}
		for i := from; i < to; i++ {
			row := h.scores[(i-from)*h.columns:][:most]
			top, sum := h.exponentials(row, h.visible(b, i), h.bias(b, n, i))
			h.inverse[i-from] = 1 / sum
			if lse != nil {
				lse[i] = top + float32(math.Log(float64(sum)))
			}
		}
		if most > 0 {
			h.weigh(to-from, most)
		}
		for i := from; i < to; i++ {
			row := out[o0+i*os:][:h.ValueWidth]
			if most == 0 || math.IsInf(float64(h.inverse[i-from]), 1) {
				clear(row)
				continue
			}
			vector.BinaryRow(vector.Mul, row, h.out[(i-from)*h.valWidth:][:h.ValueWidth], nil, 0, h.inverse[i-from])
		}
	}
}

// exponentials turns the first n scores into exponentials, the others into zeros, and gives the largest
// score and the sum, which is 0 where no key is seen.
func (h *head) exponentials(row []float32, n int, bias []float32) (top, sum float32) {
	clear(row[n:])
	row = row[:n]
	if bias != nil {
		vector.BinaryRow(vector.Add, row, row, bias[:n], 0, 0)
	}
	if n > 0 {
		top, sum = vector.ExpRow(row, row)
	}
	if n == 0 || math.IsInf(float64(top), -1) {
		clear(row)
		return float32(math.Inf(-1)), 0
	}
	return top, sum
}

func (s Attention) vectorGrad(p *work.Pool, l level.Level, dq, dk, dv, q, k, v, out, lse, dout []float32) {
	if float64(s.Batch*s.Heads)*float64(s.Queries)*float64(s.Keys)*float64(s.Width+s.ValueWidth)*5 < tile.ParallelFLOP {
		p = nil
	}
	p.For(s.Batch*s.Heads, 1, func(lo, hi int) {
		h := newHead(l, s, true)
		defer h.scratch.Release()
		for i := lo; i < hi; i++ {
			h.grad(i/s.Heads, i%s.Heads, dq, dk, dv, q, k, v, out, lse[i*s.Queries:][:s.Queries], dout)
		}
	})
}

func (h *head) grad(b, n int, dq, dk, dv, q, k, v, out, lse, dout []float32) {
	q0, qs := h.at(b, n, h.Queries, h.Width)
	k0, ks := h.at(b, n, h.Keys, h.Width)
	v0, vs := h.at(b, n, h.Keys, h.ValueWidth)
	o0, os := h.at(b, n, h.Queries, h.ValueWidth)
	gather(h.q, q, h.Queries, h.Width, h.width, q0, qs)
	gather(h.k, k, h.Keys, h.Width, h.width, k0, ks)
	gather(h.g, dout, h.Queries, h.ValueWidth, h.valWidth, o0, os)
	h.Panels(h.keys, k, h.Keys, h.Width, k0, ks)
	h.Panels(h.vals, v, h.Keys, h.ValueWidth, v0, vs)
	clear(h.dk)
	clear(h.dv)
	for from := 0; from < h.Queries; from += h.rows {
		to := min(h.Queries, from+h.rows)
		most := h.most(b, from, to)
		if most == 0 {
			for i := from; i < to; i++ {
				clear(dq[q0+i*qs:][:h.Width])
			}
			continue
		}
		h.rowScores(h.q[from*h.width:], h.width, to-from, most)
		for i := from; i < to; i++ {
			row, seen := h.scores[(i-from)*h.columns:][:most], h.visible(b, i)
			if seen == 0 || math.IsInf(float64(lse[i]), -1) {
				clear(row)
				continue
			}
			clear(row[seen:])
			if bias := h.bias(b, n, i); bias != nil {
				vector.BinaryRow(vector.Add, row[:seen], row[:seen], bias[:seen], 0, 0)
			}
			vector.ExpBelow(row[:seen], lse[i])
		}
		g := h.g[from*h.valWidth:]
		// dv += Pᵀ·dout
		w := tile.Walk{Shape: h.Shape, A: h.scores, RowA: 1, ColA: h.columns, M: most, Inner: to - from, Outer: 1,
			B: g, RowB: h.valWidth, PanelB: h.Wide, C: h.dv, RowC: h.valWidth, Columns: h.valWidth, Flags: tile.Accumulate}
		w.Run()
		// dP = dout·vᵀ, then dS = P·(dP − Σ out·dout)
		w = tile.Walk{Shape: h.Shape, A: g, RowA: h.valWidth, ColA: 1, M: to - from, Inner: h.ValueWidth, Outer: 1,
			B: h.vals, RowB: h.Wide, PanelB: h.ValueWidth * h.Wide, C: h.slopes, RowC: h.columns, Columns: h.RoundUp(most)}
		w.Run()
		for i := from; i < to; i++ {
			x, y := h.slopes[(i-from)*h.columns:][:most], h.scores[(i-from)*h.columns:][:most]
			vector.SoftmaxGradRow(x, y, x, vector.DotRow(out[o0+i*os:][:h.ValueWidth], dout[o0+i*os:][:h.ValueWidth]))
		}
		// dq = Scale·dS·k, dk += Scale·dSᵀ·q
		w = tile.Walk{Shape: h.Shape, A: h.slopes, RowA: h.columns, ColA: 1, M: to - from, Inner: most, Outer: 1,
			B: h.k, RowB: h.width, PanelB: h.Wide, C: h.dq, RowC: h.width, Columns: h.width, Alpha: h.Scale}
		w.Run()
		for i := from; i < to; i++ {
			copy(dq[q0+i*qs:][:h.Width], h.dq[(i-from)*h.width:])
		}
		w = tile.Walk{Shape: h.Shape, A: h.slopes, RowA: 1, ColA: h.columns, M: most, Inner: to - from, Outer: 1,
			B: h.q[from*h.width:], RowB: h.width, PanelB: h.Wide, C: h.dk, RowC: h.width, Columns: h.width, Flags: tile.Accumulate, Alpha: h.Scale}
		w.Run()
	}
	for j := range h.Keys {
		copy(dk[k0+j*ks:][:h.Width], h.dk[j*h.width:])
		copy(dv[v0+j*vs:][:h.ValueWidth], h.dv[j*h.valWidth:])
	}
}
