package kernels

// The forward pass with products in bfloat16. Queries, keys and values are rounded as they are packed; the
// exponentials, at most 1, are rounded where they lie; their sum, which divides the result, is that of the
// unrounded ones.

// roundedPieces are the matrices of a head: keys, v and q hold words of two terms.
func (h *head) roundedPieces() []piece {
	up := func(n int) int { return (n + h.wide - 1) / h.wide * h.wide }
	return []piece{
		{&h.keys, up(h.Keys) * h.pairs()}, {&h.v, (h.Keys + 1) / 2 * up(h.ValueWidth)}, {&h.q, h.rows * h.pairs()},
		{&h.scores, h.rows * h.columns}, {&h.out, h.rows * h.valWidth}, {&h.inverse, h.rows},
	}
}

// pairs is the words of a query or key.
func (h *head) pairs() int { return (h.Width + 1) / 2 }

// packRounded brings the first n keys and values into panels.
func (h *head) packRounded(k []float32, strideK int, v []float32, strideV, n int) {
	if n == 0 {
		return
	}
	for j := 0; j < n; j += h.wide {
		roundPanel(words(h.keys[j*h.pairs():][:h.wide*h.pairs()]), Matrix{Data: k, Stride: strideK, Transposed: true}, h.Width, n, j)
	}
	terms := (n + 1) / 2
	for j := 0; j < h.ValueWidth; j += h.wide {
		roundPanel(words(h.v[j*terms:][:h.wide*terms]), Matrix{Data: v, Stride: strideV}, n, h.ValueWidth, j)
	}
	h.seen = n
}

// rowScoresRounded is rowScores.
func (h *head) rowScoresRounded(q []float32, stride, rows, n int) {
	pairs := h.pairs()
	for i := range rows {
		roundPairs(words(h.q[i*pairs:][:pairs]), q[i*stride:][:h.Width])
	}
	w := walk{shape: h.shape, a: h.q, rowA: pairs, colA: 1, m: rows, inner: pairs, outer: 1,
		b: h.keys, rowB: h.wide, panelB: pairs * h.wide, c: h.scores, rowC: h.columns, columns: h.roundUp(n), alpha: h.Scale}
	w.run()
}

// weighRounded is weigh. The words of a row take the first half of its exponentials' place.
func (h *head) weighRounded(rows, n int) {
	for i := range rows {
		row := h.scores[i*h.columns:][:n]
		roundPairs(words(row), row)
	}
	w := walk{shape: h.shape, a: h.scores, rowA: h.columns, colA: 1, m: rows, inner: (n + 1) / 2, outer: 1,
		b: h.v, rowB: h.wide, panelB: (h.seen + 1) / 2 * h.wide, c: h.out, rowC: h.valWidth, columns: h.valWidth}
	w.run()
}
