package kernels

import "unsafe"

// tile is one call of a microkernel: C[rows, columns] = relu?(alpha·Σ_outer Σ_inner A·B + C? + bias?)
// for some blocks of rows. Distances are in bytes. The pointers stay typed as pointers: a stack
// that moves must move them too.
type tile struct {
	a, b, c, bias        unsafe.Pointer
	blocks, inner, outer int
	rowA, colA, outerA   int
	blockA               int
	rowB, outerB         int
	rowC, blockC         int
	flags                int
	alpha                float32
	rest                 int32 // 0; the microkernel's own
	cursor               uintptr
}

// Flags of a tile.
const (
	tileAccumulate = 1
	tileReLU       = 2
)

// shape is what the driver must know about a level's microkernels.
type shape struct {
	level Level
	rows  int // of a block
	wide  int // columns of the wide kernel; the narrow one has half
}

// rounds reports whether the microkernels multiply pairs of bfloat16 numbers.
func (s shape) rounds() bool { return s.level == bf16Tiles }

// words is how many words of 32 bits hold n neighbouring terms of a sum.
func (s shape) words(n int) int {
	if s.rounds() {
		return (n + 1) / 2
	}
	return n
}

func tileShape(l Level) shape {
	switch {
	case l == bf16Tiles || l == int8Tiles:
		return shape{l, 12, narrowWide}
	case l == pairs256Tiles:
		return shape{l, 5, narrowWide / 2}
	case l == pairs512Tiles:
		return shape{l, 6, narrowWide}
	case l >= AVX512:
		return shape{AVX512, 12, 32}
	}
	return shape{AVX2, 6, 16}
}

// run does m rows of the given kernel width (wide or wide/2). Blocks that would leave the
// multipliers waiting for each other (fewer than four rows) are evened out with their neighbour.
// How rows fall into blocks does not change a result: every element is its own chain of sums.
func (s shape) run(t *tile, m, width int) {
	full, rest := m/s.rows, m%s.rows
	var parts [2]int
	switch {
	case rest == 0:
	case rest < 4 && full > 0:
		full--
		rest += s.rows
		parts = [2]int{(rest + 1) / 2, rest / 2}
	default:
		parts[0] = rest
	}
	rowA, rowC := t.rowA, t.rowC
	if full > 0 {
		t.blocks, t.blockA, t.blockC = full, s.rows*rowA, s.rows*rowC
		tileCall(s.level, s.rows, width, t)
		if parts[0] == 0 {
			return // the pointers must not pass the end of their slices
		}
		t.a = unsafe.Add(t.a, full*s.rows*rowA)
		t.c = unsafe.Add(t.c, full*s.rows*rowC)
	}
	for i, r := range parts {
		if r == 0 {
			break
		}
		t.blocks = 1 // the kernel counts it down
		tileCall(s.level, r, width, t)
		if i == 0 && parts[1] > 0 {
			t.a, t.c = unsafe.Add(t.a, r*rowA), unsafe.Add(t.c, r*rowC)
		}
	}
}
