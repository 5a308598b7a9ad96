package attention

import "github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"

// The forward pass with products in bfloat16. Queries, keys and values are rounded as they are packed; the
// exponentials, at most 1, are rounded where they lie; their sum, which divides the result, is that of the
// unrounded ones.

// roundedPieces are the matrices of a head: keys, v and q hold words of two terms.
func (h *head) roundedPieces() []piece {
	up := func(n int) int { return (n + h.Wide - 1) / h.Wide * h.Wide }
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
	for j := 0; j < n; j += h.Wide {
		tile.RoundPanel(tile.Words(h.keys[j*h.pairs():][:h.Wide*h.pairs()]), tile.Matrix{Data: k, Stride: strideK, Transposed: true}, h.Width, n, j)
	}
	terms := (n + 1) / 2
	for j := 0; j < h.ValueWidth; j += h.Wide {
		tile.RoundPanel(tile.Words(h.v[j*terms:][:h.Wide*terms]), tile.Matrix{Data: v, Stride: strideV}, n, h.ValueWidth, j)
	}
	h.seen = n
}

// rowScoresRounded is rowScores.
func (h *head) rowScoresRounded(q []float32, stride, rows, n int) {
	pairs := h.pairs()
	for i := range rows {
		tile.RoundPairs(tile.Words(h.q[i*pairs:][:pairs]), q[i*stride:][:h.Width])
	}
	w := tile.Walk{Shape: h.Shape, A: h.q, RowA: pairs, ColA: 1, M: rows, Inner: pairs, Outer: 1,
		B: h.keys, RowB: h.Wide, PanelB: pairs * h.Wide, C: h.scores, RowC: h.columns, Columns: h.RoundUp(n), Alpha: h.Scale}
	w.Run()
}

// weighRounded is weigh. The words of a row take the first half of its exponentials' place.
func (h *head) weighRounded(rows, n int) {
	for i := range rows {
		row := h.scores[i*h.columns:][:n]
		tile.RoundPairs(tile.Words(row), row)
	}
	w := tile.Walk{Shape: h.Shape, A: h.scores, RowA: h.columns, ColA: 1, M: rows, Inner: (n + 1) / 2, Outer: 1,
		B: h.v, RowB: h.Wide, PanelB: (h.seen + 1) / 2 * h.Wide, C: h.out, RowC: h.valWidth, Columns: h.valWidth}
	w.Run()
}
