package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DType is a type of elements, as safetensors names it.
type DType string

// The element types that are read. Those that are written are F32, F16, BF16,
// I64 and U8.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Bytes returns the size of one element, 0 for a type that is not known.
func (d DType) Bytes() int64 {
	switch d {
	case F64, I64:
		return 8
	case F32, I32:
		return 4
	case F16, BF16, I16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// IsFloat tells whether the elements are floating point numbers.
func (d DType) IsFloat() bool { return d == F64 || d == F32 || d == F16 || d == BF16 }

// DecodeFloats converts little-endian elements of type d into out, which has
// one entry an element. Integers are an error.
func DecodeFloats(d DType, b []byte, out []float32) error {
	if int64(len(b)) != d.Bytes()*int64(len(out)) {
		return fmt.Errorf("%d bytes for %d elements of %s", len(b), len(out), d)
	}
	switch d {
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = FromF16(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		}
	default:
		return fmt.Errorf("elements are %s, floating point numbers are needed", d)
	}
	return nil
}

// FromF16 widens an IEEE 754 half-precision number; every one is exact.
func FromF16(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch {
	case exponent == 31: // infinite or not a number
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	case exponent == 0: // zero or subnormal: fraction · 2⁻²⁴
		x := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(x))
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// ToF16 rounds to the nearest half-precision number, ties to even. What is too
// large becomes infinite.
func ToF16(x float32) uint16 {
	bits := math.Float32bits(x)
	sign, exponent, fraction := uint16(bits>>31)<<15, int(bits>>23)&255, bits&(1<<23-1)
	switch {
	case exponent == 255 && fraction != 0:
		return sign | 31<<10 | 1<<9 | uint16(fraction>>13)
	case exponent == 255:
		return sign | 31<<10
	}
	if exponent == 0 {
		return sign // a float32 subnormal is far below half of the smallest half
	}
	shift, half := 13, exponent-127+15 // biased exponent of the half
	significand := fraction | 1<<23
	if half <= 0 { // subnormal: fewer bits remain
		shift += 1 - half
		if shift > 24 {
			return sign
		}
		half = 0
	} else {
		significand &^= 1 << 23
	}
	rounded := significand >> shift
	rest, tie := significand&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > tie || rest == tie && rounded&1 == 1 {
		rounded++
	}
	// A carry out of the fraction goes into the exponent, as it should.
	out := uint32(half)<<10 + rounded
	if out >= 31<<10 {
		return sign | 31<<10
	}
	return sign | uint16(out)
}

// ToBF16 rounds to the nearest bfloat16, ties to even.
func ToBF16(x float32) uint16 {
	bits := math.Float32bits(x)
	if x != x {
		return uint16(bits>>16) | 1<<6
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
