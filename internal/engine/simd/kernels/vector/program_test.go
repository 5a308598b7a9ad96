package vector

import (
	"fmt"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// A program's sums have the bits of ReduceMiddle over what it would have written, whatever the threads, and whether it
// writes that too or not.
func TestProgramSums(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(81)
		for range 60 {
			dims := []int{1 + r.IntN(9), 1 + r.IntN(400), 8 + r.IntN(390)}
			if r.IntN(3) == 0 { // rows that are taken several at a time
				dims = []int{16, 8 * (1 + r.IntN(300)), 8 * (1 + r.IntN(6))}
			}
			rows, cols := dims[0]*dims[1], dims[2]
			x, row, column := kerneltest.Draw(r, rows*cols), kerneltest.Draw(r, cols), kerneltest.Draw(r, rows)
			inputs := []Input{{Strides: []int{dims[1] * cols, cols, 1}}, {Strides: []int{0, 0, 1}}, {Strides: []int{dims[1], 1, 0}}}
			code := []Instruction{
				{Do: DoBinary, Op: uint8(Sub), Dst: 3, Args: [3]int{0, 1}},
				{Do: DoBinary, Op: uint8(Mul), Dst: 4, Args: [3]int{3, 3}},
				{Do: DoBinary, Op: uint8(Mul), Dst: 5, Args: [3]int{3, 2}},
				{Do: DoUnary, Op: uint8(Neg), Dst: 6, Args: [3]int{5}},
			}
			written, ok := NewProgram(dims, inputs, code, []int{3, 4, 5, 6}, nil)
			if !ok {
				t.Fatal("refused")
			}
			memory := make([]Memory, 9)
			memory[0].Floats, memory[1].Floats, memory[2].Floats = x, row, column
			for i := 3; i < 7; i++ {
				memory[i].Floats = make([]float32, rows*cols)
			}
			written.Run(nil, memory)
			want := [2][]float32{make([]float32, cols), make([]float32, cols)}
			ReduceMiddle(nil, Sum, want[0], memory[4].Floats, 1, rows, cols)
			ReduceMiddle(nil, Sum, want[1], memory[5].Floats, 1, rows, cols)
			for _, threads := range []int{1, 3} {
				for _, outputs := range [][]int{nil, {4}, {3, 6}} {
					p, ok := NewProgram(dims, inputs, code, outputs, []int{4, 5})
					if !ok {
						t.Fatalf("%v: refused", dims)
					}
					got := make([]Memory, 9)
					copy(got, memory[:3])
					for _, o := range outputs {
						got[o].Floats = make([]float32, rows*cols)
					}
					got[7].Floats, got[8].Floats = kerneltest.Draw(r, cols), kerneltest.Draw(r, cols)
					pool := work.NewPool(threads)
					p.Run(pool, got)
					pool.Close()
					name := fmt.Sprintf("%v, %d threads, outputs %v", dims, threads, outputs)
					kerneltest.SameBits(t, name, got[7].Floats, want[0])
					kerneltest.SameBits(t, name, got[8].Floats, want[1])
					for _, o := range outputs {
						kerneltest.SameBits(t, name, got[o].Floats, memory[o].Floats)
					}
				}
			}
		}
	})
}

// Sums are refused where the inputs keep rows apart that a sum would join, and where rows are long.
func TestProgramSumsRefused(t *testing.T) {
	code := []Instruction{{Do: DoBinary, Op: uint8(Mul), Dst: 2, Args: [3]int{0, 1}}}
	dims := []int{4, 5, 16}
	if _, ok := NewProgram(dims, []Input{{Strides: []int{80, 16, 1}}, {Strides: []int{0, 16, 1}}}, code, nil, []int{2}); ok {
		t.Error("rows of two axes were joined")
	}
	dims[2] = 1000
	if _, ok := NewProgram(dims, []Input{{Strides: []int{5000, 1000, 1}}, {Strides: []int{0, 0, 1}}}, code, nil, []int{2}); ok {
		t.Error("long rows were taken")
	}
}
