// Package tile has the microkernels of products, and brings operands into the order and the numbers in which they read
// them. Read tile.go (a microkernel and its call), walk.go (a run over rows), packing.go, then the formats in
// rounding_bf16.go, rounding_int8.go and rounding_pairs.go.
package tile

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

const (
	// BlockTerms terms are summed in registers before C is touched: a panel of B (16 columns) then
	// fills most of a 32 KB first-level cache.
	BlockTerms = 384
	// ParallelFLOP is how large a product must be to be worth waking a second thread.
	ParallelFLOP = 1 << 21
)

// Call is one call of a microkernel: C[rows, columns] = relu?(alpha·Σ_outer Σ_inner A·B + C? + bias?)
// for some blocks of rows. Distances are in bytes. The pointers stay typed as pointers: a stack
// that moves must move them too.
type Call struct {
	A, B, C, Bias        unsafe.Pointer
	blocks, Inner, Outer int
	RowA, ColA, outerA   int
	blockA               int
	RowB, outerB         int
	RowC, blockC         int
	Flags                int
	Alpha                float32
	rest                 int32 // 0; the microkernel's own
	cursor               uintptr
}

// Flags of a tile.
const (
	Accumulate = 1
	ReLU       = 2
)

// Shape is what the driver must know about a level's microkernels.
type Shape struct {
	Level level.Level
	Rows  int // of a block
	Wide  int // columns of the wide kernel; the narrow one has half
}

// Rounds reports whether the microkernels multiply pairs of bfloat16 numbers.
func (s Shape) Rounds() bool { return s.Level == BF16Tiles }

// Words is how many words of 32 bits hold n neighbouring terms of a sum.
func (s Shape) Words(n int) int {
	if s.Rounds() {
		return (n + 1) / 2
	}
	return n
}

func ShapeOf(l level.Level) Shape {
	switch {
	case l == BF16Tiles || l == Int8Tiles:
		return Shape{l, 12, NarrowWide}
	case l == Pairs256Tiles:
		return Shape{l, 5, NarrowWide / 2}
	case l == Pairs512Tiles:
		return Shape{l, 6, NarrowWide}
	case l >= level.AVX512:
		return Shape{level.AVX512, 12, 32}
	}
	return Shape{level.AVX2, 6, 16}
}

// Run does m rows of the given kernel width (wide or wide/2). Blocks that would leave the
// multipliers waiting for each other (fewer than four rows) are evened out with their neighbour.
// How rows fall into blocks does not change a result: every element is its own chain of sums.
func (s Shape) Run(t *Call, m, width int) {
	full, rest := m/s.Rows, m%s.Rows
	var parts [2]int
	switch {
	case rest == 0:
	case rest < 4 && full > 0:
		full--
		rest += s.Rows
		parts = [2]int{(rest + 1) / 2, rest / 2}
	default:
		parts[0] = rest
	}
	rowA, rowC := t.RowA, t.RowC
	if full > 0 {
		t.blocks, t.blockA, t.blockC = full, s.Rows*rowA, s.Rows*rowC
		tileCall(s.Level, s.Rows, width, t)
		if parts[0] == 0 {
			return // the pointers must not pass the end of their slices
		}
		t.A = unsafe.Add(t.A, full*s.Rows*rowA)
		t.C = unsafe.Add(t.C, full*s.Rows*rowC)
	}
	for i, r := range parts {
		if r == 0 {
			break
		}
		t.blocks = 1 // the kernel counts it down
		tileCall(s.Level, r, width, t)
		if i == 0 && parts[1] > 0 {
			t.A, t.C = unsafe.Add(t.A, r*rowA), unsafe.Add(t.C, r*rowC)
		}
	}
}
