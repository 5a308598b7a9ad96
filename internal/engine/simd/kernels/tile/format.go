package tile

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

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
func (f Format) Level() level.Level {
	switch f {
	case BFloat16:
		return level.AVX512BF16
	case Int8:
		return level.Int8Level
	}
	return level.Off
}

// Microkernels of the narrow formats. Their products use the blocking and the epilogues of float32: a
// word of 32 bits, which holds neighbouring terms of a sum, stands where a number does.
const (
	BF16Tiles level.Level = 64 + iota
	Int8Tiles
	Pairs256Tiles // of bytes that are widened to 16 bits, without VNNI
	Pairs512Tiles
)

// NarrowWide is the columns of their packed panels, on every machine.
const NarrowWide = 32
