package kernels

import (
	"math"
	"slices"
)

// The vector path takes a block of queries at a time: their scores against all keys (at most
// scoreBlock floats, or six queries) live in working memory of the thread, never the whole matrix.
// The backward pass computes them again from the stored log-sums.

const scoreBlock = 1 << 15

// head is one head's matrices, copied to dense rows that kernels can read to their full width.
type head struct {
	shape
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
	scratch *buffer
}

// piece is a matrix of a head's working memory.
type piece struct {
	to   *[]float32
	size int
}

// newHead gives working memory for one head; grad reports whether the backward pass wants it.
func newHead(l Level, s Attention, grad bool) *head {
	h := &head{shape: tileShape(l), Attention: s, rounded: s.Rounded && !grad && l >= AVX512BF16}
	if h.rounded {
		h.shape = tileShape(bf16Tiles)
	}
	h.width, h.valWidth, h.columns = h.roundUp(s.Width), h.roundUp(s.ValueWidth), h.roundUp(s.Keys)
	h.rows = min(s.Queries, max(h.shape.rows, min(96, scoreBlock/h.columns)/h.shape.rows*h.shape.rows))
	panels := (s.Keys + h.wide - 1) / h.wide * h.wide
	columns := (s.ValueWidth + h.wide - 1) / h.wide * h.wide
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
	h.scratch = scratch(total)
	rest := h.scratch.data
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

// panels packs rows [n, width] transposed: panel by panel, width terms of wide columns each.
func (s shape) panels(dst, src []float32, n, width, start, stride int) {
	b := Matrix{Data: src, Stride: stride, Transposed: true}
	for j := 0; j < n; j += s.wide {
		packPanel(dst[j*width:], b, start, width, n, j, s.wide)
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
	for j := 0; j < h.ValueWidth; j += h.wide {
		packPanel(h.v[j*h.Keys:], Matrix{Data: v, Stride: strideV}, 0, h.Keys, h.ValueWidth, j, h.wide)
	}
	h.panels(h.keys, k, h.Keys, h.Width, 0, strideK)
}

// weigh sums the values by the exponentials of the first n keys, for a block of rows.
func (h *head) weigh(rows, n int) {
	if h.rounded {
		h.weighRounded(rows, n)
		return
	}
	w := walk{shape: h.shape, a: h.scores, rowA: h.columns, colA: 1, m: rows, inner: n, outer: 1,
		b: h.v, rowB: h.wide, panelB: h.Keys * h.wide, c: h.out, rowC: h.valWidth, columns: h.valWidth}
	w.run()
}

// rowScores computes Scale·q·kᵀ for rows of q, stride apart, and the first n keys.
func (h *head) rowScores(q []float32, stride, rows, n int) {
	if h.rounded {
		h.rowScoresRounded(q, stride, rows, n)
		return
	}
	w := walk{shape: h.shape, a: q, rowA: stride, colA: 1, m: rows, inner: h.Width, outer: 1,
		b: h.keys, rowB: h.wide, panelB: h.Width * h.wide, c: h.scores, rowC: h.columns, columns: h.roundUp(n), alpha: h.Scale}
	w.run()
}

func (s Attention) vectorForward(p *Pool, l Level, out, lse, q, k, v []float32) {
	if float64(s.Batch*s.Heads)*float64(s.Queries)*float64(s.Keys)*float64(s.Width+s.ValueWidth)*2 < parallelFlops {
		p = nil
	}
	p.For(s.Batch*s.Heads, 1, func(lo, hi int) {
		h := newHead(l, s, false)
		defer h.scratch.release()
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
			vecMulScalar(&row[0], &h.out[(i-from)*h.valWidth], h.inverse[i-from], h.ValueWidth)
		}
	}
}

// exponentials turns the first n scores into exponentials, the others into zeros, and gives the largest
// score and the sum, which is 0 where no key is seen.
func (h *head) exponentials(row []float32, n int, bias []float32) (top, sum float32) {
	clear(row[n:])
	row = row[:n]
	if bias != nil {
		binaryRow(Add, row, row, bias[:n], 0, 0)
	}
	if n > 0 {
		top, sum = expRow(row, row)
	}
	if n == 0 || math.IsInf(float64(top), -1) {
		clear(row)
		return float32(math.Inf(-1)), 0
	}
	return top, sum
}

func (s Attention) vectorGrad(p *Pool, l Level, dq, dk, dv, q, k, v, out, lse, dout []float32) {
	if float64(s.Batch*s.Heads)*float64(s.Queries)*float64(s.Keys)*float64(s.Width+s.ValueWidth)*5 < parallelFlops {
		p = nil
	}
	p.For(s.Batch*s.Heads, 1, func(lo, hi int) {
		h := newHead(l, s, true)
		defer h.scratch.release()
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
	h.panels(h.keys, k, h.Keys, h.Width, k0, ks)
	h.panels(h.vals, v, h.Keys, h.ValueWidth, v0, vs)
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
				binaryRow(Add, row[:seen], row[:seen], bias[:seen], 0, 0)
			}
			expBelow(row[:seen], lse[i])
		}
		g := h.g[from*h.valWidth:]
		// dv += Pᵀ·dout
		w := walk{shape: h.shape, a: h.scores, rowA: 1, colA: h.columns, m: most, inner: to - from, outer: 1,
			b: g, rowB: h.valWidth, panelB: h.wide, c: h.dv, rowC: h.valWidth, columns: h.valWidth, flags: tileAccumulate}
		w.run()
		// dP = dout·vᵀ, then dS = P·(dP − Σ out·dout)
		w = walk{shape: h.shape, a: g, rowA: h.valWidth, colA: 1, m: to - from, inner: h.ValueWidth, outer: 1,
			b: h.vals, rowB: h.wide, panelB: h.ValueWidth * h.wide, c: h.slopes, rowC: h.columns, columns: h.roundUp(most)}
		w.run()
		for i := from; i < to; i++ {
			x, y := h.slopes[(i-from)*h.columns:][:most], h.scores[(i-from)*h.columns:][:most]
			softmaxGradRow(x, y, x, dot(out[o0+i*os:][:h.ValueWidth], dout[o0+i*os:][:h.ValueWidth]))
		}
		// dq = Scale·dS·k, dk += Scale·dSᵀ·q
		w = walk{shape: h.shape, a: h.slopes, rowA: h.columns, colA: 1, m: to - from, inner: most, outer: 1,
			b: h.k, rowB: h.width, panelB: h.wide, c: h.dq, rowC: h.width, columns: h.width, alpha: h.Scale}
		w.run()
		for i := from; i < to; i++ {
			copy(dq[q0+i*qs:][:h.Width], h.dq[(i-from)*h.width:])
		}
		w = walk{shape: h.shape, a: h.slopes, rowA: 1, colA: h.columns, m: most, inner: to - from, outer: 1,
			b: h.q[from*h.width:], rowB: h.width, panelB: h.wide, c: h.dk, rowC: h.width, columns: h.width, flags: tileAccumulate, alpha: h.Scale}
		w.run()
	}
	for j := range h.Keys {
		copy(dk[k0+j*ks:][:h.Width], h.dk[j*h.width:])
		copy(dv[v0+j*vs:][:h.ValueWidth], h.dv[j*h.valWidth:])
	}
}
