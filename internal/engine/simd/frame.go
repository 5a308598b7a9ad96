package simd

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// frame is the state of one execution: where each slot's memory is.
type frame struct {
	// flat, floats and bools hold the memory by slot number; floats and bools for those of float32 and bool.
	flat   []any
	floats [][]float32
	bools  [][]bool
	// islands are the input buffers of each island, made at its first run.
	islands [][]compute.Buffer
	// operands and given are working memory of a step and of an execution's start.
	operands []vector.Memory
	given    map[*Buffer]int
}

// grow makes room for one more slot.
func (f *frame) grow() {
	f.flat, f.floats, f.bools = append(f.flat, nil), append(f.floats, nil), append(f.bools, nil)
}

// set puts a slot's memory in place.
func (f *frame) set(s *slot, flat any) {
	f.flat[s.id] = flat
	switch x := flat.(type) {
	case []float32:
		f.floats[s.id] = x
	case []bool:
		f.bools[s.id] = x
	}
}

// read gives the float32 elements from the view's first on.
func (f *frame) read(v view) []float32 { return f.floats[v.slot.id][v.offset:] }

// memory gives a view as an operand of a program.
func (f *frame) memory(v view) vector.Memory {
	if v.slot.dtype == dtypes.Bool {
		return vector.Memory{Bools: f.bools[v.slot.id][v.offset:]}
	}
	return vector.Memory{Floats: f.floats[v.slot.id][v.offset:]}
}
