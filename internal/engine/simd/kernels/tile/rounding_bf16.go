package tile

import (
	"math"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// PairRows rounds two rows to words, those of even in the lower half.
func PairRows(dst []uint32, even, odd []float32) {
	n := len(dst)
	even, odd = even[:n], odd[:n]
	whole := n / 16
	if whole > 0 {
		bf16Pairs(&dst[0], &even[0], &odd[0], whole)
	}
	for i := whole * 16; i < n; i++ {
		dst[i] = uint32(ToBF16(even[i])) | uint32(ToBF16(odd[i]))<<16
	}
}

// ToBF16 rounds to bfloat16 as the instruction does: to nearest, ties to even, denormals to zero, a NaN quiet.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	switch {
	case b&0x7f800000 == 0:
		return uint16(b>>16) & 0x8000
	case b&0x7fffffff > 0x7f800000:
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func FromBF16(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// Words are floats as what they are in memory.
func Words(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// floats are words as what a kernel moves.
func floats(x []uint32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// RoundPairs rounds a row to words of two terms; a last odd one stands beside a zero.
func RoundPairs(dst []uint32, row []float32) {
	whole := len(row) / 32
	if level.Current() < level.AVX512BF16 {
		whole = 0
	}
	if whole > 0 {
		_ = dst[whole*16-1]
		bf16Round(&dst[0], &row[0], whole)
	}
	for q := whole * 32; q < len(row); q += 2 {
		w := uint32(ToBF16(row[q]))
		if q+1 < len(row) {
			w |= uint32(ToBF16(row[q+1])) << 16
		}
		dst[q/2] = w
	}
}

// RoundPanel packs columns j … j+32 of B, k terms, as packBF16 does.
func RoundPanel(panel []uint32, b Matrix, k, n, j int) {
	width, pairs := min(NarrowWide, n-j), (k+1)/2
	switch {
	case b.Transposed: // a column's terms are neighbours
		if width < NarrowWide {
			clear(panel)
		}
		buf := work.Scratch(width * pairs)
		defer buf.Release()
		for c := range width {
			RoundPairs(Words(buf.Data)[c*pairs:][:pairs], b.Data[(j+c)*b.Stride:][:k])
		}
		vector.TransposeRows(floats(panel), buf.Data, width, pairs, NarrowWide, pairs)
	case width == NarrowWide:
		var none [NarrowWide]float32
		for q := 0; q < k; q += 2 {
			even, odd := b.Data[q*b.Stride+j:][:NarrowWide], none[:]
			if q+1 < k {
				odd = b.Data[(q+1)*b.Stride+j:][:NarrowWide]
			}
			bf16Pairs(&panel[q/2*NarrowWide:][:NarrowWide][0], &even[0], &odd[0], NarrowWide/16)
		}
	default:
		roundEdge(panel, b, k, width, j)
	}
}

// roundEdge is RoundPanel for the last columns of rows.
func roundEdge(panel []uint32, b Matrix, k, width, j int) {
	for q := 0; q < k; q += 2 {
		out := panel[q/2*NarrowWide:][:NarrowWide]
		clear(out)
		for c, x := range b.Data[q*b.Stride+j:][:width] {
			out[c] = uint32(ToBF16(x))
		}
		if q+1 < k {
			for c, x := range b.Data[(q+1)*b.Stride+j:][:width] {
				out[c] |= uint32(ToBF16(x)) << 16
			}
		}
	}
}
