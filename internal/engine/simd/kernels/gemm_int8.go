package kernels

import "math"

// Operands in bytes. A row of A and a column of B are cut into blocks of int8Block words of four terms, each
// followed by two words that say what the bytes mean:
//
//	A: scale (float32), zero point z (int32); a = scale·(byte − z), byte 0 … 255
//	B: scale (float32), sum of the bytes (int32); b = scale·byte, byte −127 … 127
//
// So a block has blockK words, as the driver cuts products, and gives scaleA·scaleB·(Σ bytes·bytes − z·sum),
// whole numbers inside of the brackets. Blocks are added in float32.
const int8Block = blockK - 2

// int8Words is how many words k terms take.
func int8Words(k int) int {
	groups := (k + 3) / 4
	return groups + 2*((groups+int8Block-1)/int8Block)
}

// int8Blocks calls f for each block of k terms: the terms from … to, and its first word.
func int8Blocks(k int, f func(from, to, word int)) {
	for from := 0; from < k; from += 4 * int8Block {
		f(from, min(k, from+4*int8Block), from/(4*int8Block)*blockK)
	}
}

// int8Limit is the largest error of the weights, root of the mean square over that of the weights, that
// is kept: a matrix with outliers that do worse stays in float32. Normal weights have 0.8 %.
const int8Limit = 0.015

// packInt8 is PackB to bytes with a scale for each column and block; nil if that loses too much.
func packInt8(p *Pool, k, n int, b Matrix) *PackedB {
	checkLen("Pack", "b", len(b.Data), b.length(k, n))
	total, panels := int8Words(k), (n+narrowWide-1)/narrowWide
	r := &PackedB{format: Int8, k: k, n: n, panel: narrowWide, data: make([]float32, panels*total*narrowWide)}
	if k == 0 {
		return r
	}
	out := words(r.data)
	lost, all := make([]float64, panels), make([]float64, panels)
	p.For(panels, max(1, 16384/(k*narrowWide)), func(lo, hi int) {
		column := make([]float32, k)
		for i := lo; i < hi; i++ {
			for j := i * narrowWide; j < min(n, (i+1)*narrowWide); j++ {
				for q := range column {
					column[q] = b.at(q, j)
				}
				l, a := packColumn(out[i*total*narrowWide+j%narrowWide:], column)
				lost[i], all[i] = lost[i]+l, all[i]+a
			}
		}
	})
	var l, a float64
	for i := range panels {
		l, a = l+lost[i], a+all[i]
	}
	if l > int8Limit*int8Limit*a {
		return nil
	}
	return r
}

// packColumn writes a column of a panel, and gives the sums of the squares of its errors and of itself.
func packColumn(dst []uint32, column []float32) (lost, all float64) {
	int8Blocks(len(column), func(from, to, word int) {
		var most, bad float32
		for _, w := range column[from:to] {
			most = max(most, w, -w)
			bad += w * 0
		}
		scale := most / 127
		inverse := 1 / scale
		if bad != 0 || inverse > math.MaxFloat32 {
			scale, inverse = bad*scale, 0 // NaN where something is not finite
		}
		sum := int32(0)
		for q, w := range column[from:to] {
			v := int32(0)
			if inverse != 0 {
				v = int32(math.RoundToEven(float64(w * inverse)))
				v = max(-127, min(127, v))
			}
			sum += v
			dst[(word+q/4)*narrowWide] |= uint32(uint8(v)) << (q % 4 * 8)
			d := float64(w) - float64(scale)*float64(v)
			lost, all = lost+d*d, all+float64(w)*float64(w)
		}
		word += (to - from + 3) / 4
		dst[word*narrowWide], dst[(word+1)*narrowWide] = math.Float32bits(scale), uint32(sum)
	})
	return lost, all
}

// unpackInt8 gives the rounded matrix back.
func (b *PackedB) unpackInt8() Matrix {
	x, in, total := make([]float32, b.k*b.n), words(b.data), int8Words(b.k)
	for j := range b.n {
		panel := in[j/narrowWide*total*narrowWide+j%narrowWide:]
		int8Blocks(b.k, func(from, to, word int) {
			scale := math.Float32frombits(panel[(word+(to-from+3)/4)*narrowWide])
			for q := range to - from {
				x[(from+q)*b.n+j] = scale * float32(int8(panel[(word+q/4)*narrowWide]>>(q%4*8)))
			}
		})
	}
	return Matrix{Data: x, Stride: b.n}
}

// gemmInt8 is GemmPacked with operands in bytes: each row of A is rounded with a scale and a zero point of its
// own for each block. A row with NaN or infinity gives NaN.
func gemmInt8(p *Pool, m int, a Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	switch l := Path(); {
	case l >= AVX512VNNI:
		vectorInt8(p, m, a, b, c, ldc, e)
		return
	case l >= int8Level:
		vectorPairs(p, l, m, a, b, c, ldc, e)
		return
	}
	buf, row := scratch(m*b.k), scratch(int8Words(b.k))
	defer buf.release()
	defer row.release()
	bytes := words(row.data)
	eachRow(nil, m, b.k, a, func(i int, row []float32) {
		roundBytes(bytes, row, false)
		widenBytes(buf.data[i*b.k:][:b.k], bytes)
	})
	Gemm(p, m, b.n, b.k, Matrix{Data: buf.data, Stride: b.k}, b.unpackInt8(), c, ldc, e)
}

func vectorInt8(p *Pool, m int, a Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	total := int8Words(b.k)
	stride := (total+15)&^15 + 16 // not a power of two
	buf := scratch(m * stride)
	defer buf.release()
	out := words(buf.data)
	eachRow(p, m, b.k, a, func(i int, row []float32) { roundBytes(out[i*stride:][:total], row, true) })
	vectorGemm(p, int8Tiles, 1, m, b.n, total, Matrix{Data: buf.data, Stride: stride}, 0, Matrix{}, 0, b, c, ldc, 0, e)
}

// roundBytes rounds a row of A.
func roundBytes(dst []uint32, row []float32, vector bool) {
	int8Blocks(len(row), func(from, to, word int) { roundBlock(dst[word:], row[from:to], vector) })
}

// roundBlock rounds a block: 0 is exact, the range of the numbers and 0 is cut into 255 steps.
func roundBlock(dst []uint32, x []float32, vector bool) {
	groups, whole := (len(x)+3)/4, 0
	var r [3]float32
	if vector && len(x) >= 16 {
		whole = len(x) / 16
		int8Range(&r, &x[0], whole)
	}
	s := stepsOf(r, x[whole*16:])
	if s.inverse == 0 {
		clear(dst[:groups])
	} else {
		if whole > 0 {
			_ = dst[whole*4-1]
			int8Round(&dst[0], &x[0], whole, s.inverse, s.zero)
		}
		s.round(dst[whole*4:groups], x[whole*16:])
	}
	dst[groups], dst[groups+1] = math.Float32bits(s.scale), uint32(int32(s.zero))
}

// steps are what a block of A is rounded to: scale·(byte − zero). An inverse of 0 makes all bytes 0.
type steps struct{ scale, inverse, zero float32 }

// stepsOf cuts a range (least, greatest, NaN if anything is not finite), and the numbers x beside it, into 255 steps.
func stepsOf(r [3]float32, x []float32) steps {
	for _, v := range x {
		r[0], r[1], r[2] = min(r[0], v), max(r[1], v), r[2]+v*0
	}
	scale := r[1]/255 - r[0]/255 // the difference may be too large
	inverse := 1 / scale
	if r[2] != 0 || inverse > math.MaxFloat32 {
		return steps{scale: r[2]}
	}
	return steps{scale, inverse, float32(math.RoundToEven(float64(-r[0] * inverse)))}
}

// round gives words of four bytes.
func (s steps) round(dst []uint32, x []float32) {
	clear(dst)
	for q, v := range x {
		v := math.RoundToEven(float64(float32(v*s.inverse) + s.zero))
		dst[q/4] |= uint32(max(0, min(255, v))) << (q % 4 * 8)
	}
}

// widenBytes is what roundBytes made of a row.
func widenBytes(row []float32, in []uint32) {
	int8Blocks(len(row), func(from, to, word int) {
		end := word + (to-from+3)/4
		scale, zero := math.Float32frombits(in[end]), int32(in[end+1])
		for q := range to - from {
			row[from+q] = scale * float32(int32(in[word+q/4]>>(q%4*8)&255)-zero)
		}
	})
}
