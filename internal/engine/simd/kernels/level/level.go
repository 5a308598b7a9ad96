// Package level says which vector instructions the kernels use, and what the machine has.
package level

import (
	"os"
	"sync/atomic"
)

// Level names the instructions in use.
type Level int32

// The levels, each with all of those before it.
const (
	Off        Level = iota // plain Go
	AVX2                    // AVX2, FMA and BMI2
	AVX512                  // AVX-512 F, DQ, BW and VL, for products
	AVX512VNNI              // products of bytes too
	AVX512BF16              // products of bfloat16 too
	AMX                     // products of bfloat16 and of bytes by tiles, on Linux
)

// NEON is the one level of arm64. It takes the place of the first of amd64: its blocks have the same shape.
const NEON = AVX2

// String gives the name that GROUPVIT_SIMD knows.
func (l Level) String() string {
	switch l {
	case AVX2:
		return firstLevel
	case AVX512:
		return "avx512"
	case AVX512VNNI:
		return "avx512vnni"
	case AVX512BF16:
		return "avx512bf16"
	case AMX:
		return "amx"
	}
	return "off"
}

var current atomic.Int32

func init() { current.Store(int32(FromEnvironment(os.Getenv("GROUPVIT_SIMD")))) }

// FromEnvironment is the level that a setting asks for, at most what the machine has.
// An unknown setting is as good as none.
func FromEnvironment(setting string) Level {
	for _, l := range []Level{Off, AVX2, AVX512, AVX512VNNI, AVX512BF16, AMX} {
		if setting == l.String() {
			return min(l, Best())
		}
	}
	return Best()
}

// Path is the level in use.
func Current() Level { return Level(current.Load()) }

// Best is the highest level that this machine and build have.
func Best() Level { return best }

// Force changes the level, at most to Best, and returns a function that changes it back. It is for
// tests and comparisons: nothing may be computing meanwhile, and packed matrices made before keep
// the format of their own level, which still works.
func Force(l Level) (restore func()) {
	old := current.Swap(int32(min(l, best)))
	return func() { current.Store(old) }
}

// Pretend makes l the best level, and the one in use, and returns a function that changes both back. It is for tests
// that put something else in the place of instructions which their machine lacks.
func Pretend(l Level) (restore func()) {
	old := best
	best = l
	undo := Force(l)
	return func() {
		undo()
		best = old
	}
}
