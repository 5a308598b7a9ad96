package tile

import "math"

// Operands in bytes. A row of A and a column of B are cut into blocks of Int8Block words of four terms, each
// followed by two words that say what the bytes mean:
//
//	A: scale (float32), zero point z (int32); a = scale·(byte − z), byte 0 … 255
//	B: scale (float32), sum of the bytes (int32); b = scale·byte, byte −127 … 127
//
// So a block has BlockTerms words, as the driver cuts products, and gives scaleA·scaleB·(Σ bytes·bytes − z·sum),
// whole numbers inside of the brackets. Blocks are added in float32.
const Int8Block = BlockTerms - 2

// Int8Words is how many words k terms take.
func Int8Words(k int) int {
	groups := (k + 3) / 4
	return groups + 2*((groups+Int8Block-1)/Int8Block)
}

// Int8Blocks calls f for each block of k terms: the terms from … to, and its first word.
func Int8Blocks(k int, f func(from, to, word int)) {
	for from := 0; from < k; from += 4 * Int8Block {
		f(from, min(k, from+4*Int8Block), from/(4*Int8Block)*BlockTerms)
	}
}

// PackColumn writes a column of a panel, and gives the sums of the squares of its errors and of itself.
func PackColumn(dst []uint32, column []float32) (lost, all float64) {
	Int8Blocks(len(column), func(from, to, word int) {
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
			dst[(word+q/4)*NarrowWide] |= uint32(uint8(v)) << (q % 4 * 8)
			d := float64(w) - float64(scale)*float64(v)
			lost, all = lost+d*d, all+float64(w)*float64(w)
		}
		word += (to - from + 3) / 4
		dst[word*NarrowWide], dst[(word+1)*NarrowWide] = math.Float32bits(scale), uint32(sum)
	})
	return lost, all
}

// RoundBytes rounds a row of A.
func RoundBytes(dst []uint32, row []float32, vector bool) {
	Int8Blocks(len(row), func(from, to, word int) { roundBlock(dst[word:], row[from:to], vector) })
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

// WidenBytes is what RoundBytes made of a row.
func WidenBytes(row []float32, in []uint32) {
	Int8Blocks(len(row), func(from, to, word int) {
		end := word + (to-from+3)/4
		scale, zero := math.Float32frombits(in[end]), int32(in[end+1])
		for q := range to - from {
			row[from+q] = scale * float32(int32(in[word+q/4]>>(q%4*8)&255)-zero)
		}
	})
}
