package simd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// TestRoundedConvolutions: a backend that rounds products rounds convolutions and both their gradients, strides and
// images of odd sides included, and stays close to float32.
func TestRoundedConvolutions(t *testing.T) {
	if level.Current() < tile.BFloat16.Level() {
		t.Skip("this CPU has no AVX512-BF16")
	}
	defer tile.AssumePays(true)()
	for _, c := range []struct {
		name                      string
		side, in, out, stride     int
		result, toInput, toKernel bool // rounded
	}{
		{"stride 1", 16, 24, 40, 1, true, true, true},
		{"stride 2", 16, 24, 40, 2, true, true, true},
		{"odd side", 13, 9, 17, 2, true, true, true},
		{"colours", 16, 3, 24, 2, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := func(rounded bool) (results [3][]float32) {
				b, err := simd.New(simd.Options{Threads: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer b.Finalize()
				if rounded {
					if err := b.(*simd.Backend).RoundProducts(); err != nil {
						t.Fatal(err)
					}
				}
				r := rand.New(rand.NewPCG(5, 6))
				x, w := floats(r, 4, c.side, c.side, c.in), floats(r, 3, 3, c.in, c.out)
				out, err := graph.CallOnceN(b, func(x, w *graph.Node) []*graph.Node {
					y := graph.Convolve(x, w).StridePerAxis(c.stride, c.stride).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
					return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Square(y)), x, w)...)
				}, x, w)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range out {
					results[i] = tensors.MustCopyFlatData[float32](o)
				}
				return results
			}
			exact, rounded := run(false), run(true)
			for i, want := range []bool{c.result, c.toInput, c.toKernel} {
				name := []string{"result", "gradient of the input", "gradient of the kernel"}[i]
				worst, size := 0.0, 0.0
				for j, v := range exact[i] {
					worst, size = max(worst, math.Abs(float64(rounded[i][j]-v))), max(size, math.Abs(float64(v)))
				}
				if got := worst > 0; got != want {
					t.Errorf("%s: rounded %v, want %v", name, got, want)
				}
				if worst > 0.02*size {
					t.Errorf("%s: differs by %g of at most %g", name, worst, size)
				}
			}
		})
	}
}
