package kernels

import "fmt"

// Format is how a packed operand stores its numbers.
type Format uint8

// The formats. Products of all of them take and give float32.
const (
	Float32  Format = iota
	BFloat16        // both operands rounded to 8 bits of mantissa, sums in float32
	Int8            // both operands rounded to 256 steps a row or column, sums in whole numbers
)

// String gives the name that --precision knows.
func (f Format) String() string {
	switch f {
	case Float32:
		return "float32"
	case BFloat16:
		return "bf16"
	case Int8:
		return "int8"
	}
	return fmt.Sprintf("format %d", uint8(f))
}

// Level is the lowest level with instructions for products of the format. On lower ones they still
// work, by way of float32: for tests, not for speed.
func (f Format) Level() Level {
	switch f {
	case BFloat16:
		return AVX512BF16
	case Int8:
		return int8Level
	}
	return Off
}

// Pack is [PackB] in a format. A matrix whose columns have outliers, so that Int8 would lose more than
// 1.5 percent of it, stays in float32: the result's Format says so.
func Pack(p *Pool, f Format, k, n int, b Matrix) *PackedB {
	switch f {
	case BFloat16:
		return packBF16(p, k, n, b)
	case Int8:
		if r := packInt8(p, k, n, b); r != nil {
			return r
		}
	}
	return PackB(p, k, n, b)
}

// Format says how the numbers are stored.
func (b *PackedB) Format() Format { return b.format }

// Microkernels of the narrow formats. Their products use the blocking and the epilogues of float32: a
// word of 32 bits, which holds neighbouring terms of a sum, stands where a number does.
const (
	bf16Tiles Level = 64 + iota
	int8Tiles
	pairs256Tiles // of bytes that are widened to 16 bits, without VNNI
	pairs512Tiles
)

// narrowWide is the columns of their packed panels, on every machine.
const narrowWide = 32

// gemmNarrow is GemmPacked where b is not float32.
func gemmNarrow(p *Pool, m int, a Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	if b.format == Int8 {
		gemmInt8(p, m, a, b, c, ldc, e)
		return
	}
	gemmBF16(p, m, a, b, c, ldc, e)
}

// at is element (i, j).
func (x Matrix) at(i, j int) float32 {
	if x.Transposed {
		i, j = j, i
	}
	return x.Data[i*x.Stride+j]
}
