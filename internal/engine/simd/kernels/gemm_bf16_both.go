package kernels

// GemmBF16 is [Gemm] with both operands rounded to bfloat16 as it goes, and sums in
// float32: for products whose operands change from call to call, as in training.
// Rounding costs a pass over each operand, so it pays where m, n and k are large.
// Denormal numbers count as zero.
func GemmBF16(p *Pool, m, n, k int, a, b Matrix, c []float32, ldc int, e Epilogue) {
	if m == 0 || n == 0 || k == 0 {
		Gemm(p, m, n, k, a, b, c, ldc, e)
		return
	}
	checkGemm("GemmBF16", 1, m, n, a.length(m, k), len(a.Data), 0, c, ldc, 0, e)
	checkLen("GemmBF16", "b", len(b.Data), b.length(k, n))
	if Path() < BFloat16.Level() { // for tests, not for speed
		GemmPacked(p, m, a, packBF16(p, k, n, b), c, ldc, e)
		return
	}
	pairs, panels := (k+1)/2, (n+narrowWide-1)/narrowWide
	buf := scratch(panels * pairs * narrowWide)
	defer buf.release()
	packed := &PackedB{format: BFloat16, k: k, n: n, panel: narrowWide, data: buf.data}
	p.For(panels, max(1, 16384/(k*narrowWide)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			roundPanel(words(buf.data)[i*pairs*narrowWide:][:pairs*narrowWide], b, k, n, i*narrowWide)
		}
	})
	gemmBF16(p, m, a, packed, c, ldc, e)
}

// roundPanel packs columns j … j+32 of B, k terms, as packBF16 does.
func roundPanel(panel []uint32, b Matrix, k, n, j int) {
	width, pairs := min(narrowWide, n-j), (k+1)/2
	switch {
	case b.Transposed: // a column's terms are neighbours
		if width < narrowWide {
			clear(panel)
		}
		buf := scratch(width * pairs)
		defer buf.release()
		for c := range width {
			roundPairs(words(buf.data)[c*pairs:][:pairs], b.Data[(j+c)*b.Stride:][:k])
		}
		transposeRows(floats(panel), buf.data, width, pairs, narrowWide, pairs)
	case width == narrowWide:
		var none [narrowWide]float32
		for q := 0; q < k; q += 2 {
			even, odd := b.Data[q*b.Stride+j:][:narrowWide], none[:]
			if q+1 < k {
				odd = b.Data[(q+1)*b.Stride+j:][:narrowWide]
			}
			bf16Pairs(&panel[q/2*narrowWide:][:narrowWide][0], &even[0], &odd[0], narrowWide/16)
		}
	default:
		roundEdge(panel, b, k, width, j)
	}
}

// roundEdge is roundPanel for the last columns of rows.
func roundEdge(panel []uint32, b Matrix, k, width, j int) {
	for q := 0; q < k; q += 2 {
		out := panel[q/2*narrowWide:][:narrowWide]
		clear(out)
		for c, x := range b.Data[q*b.Stride+j:][:width] {
			out[c] = uint32(toBF16(x))
		}
		if q+1 < k {
			for c, x := range b.Data[(q+1)*b.Stride+j:][:width] {
				out[c] |= uint32(toBF16(x)) << 16
			}
		}
	}
}
