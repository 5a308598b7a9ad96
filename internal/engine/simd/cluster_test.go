package simd_test

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Two pairs of elementwise steps of different shapes, each of which alone could be computed at once, wait for each
// other: a → n → wh, and wl → x → b, where a would join b and wl would join wh. Only one of the pairs may.
func TestPairsThatWaitForEachOther(t *testing.T) {
	var in []*tensors.Tensor
	for _, dims := range [][]int{{2, 4}, {2, 2}, {2, 4}, {4, 2}} {
		x := make([]float32, dims[0]*dims[1])
		for i := range x {
			x[i] = float32(i%5) / 4
		}
		in = append(in, tensors.FromFlatDataAndDimensions(x, dims...))
	}
	f := func(in []*Node) *Node {
		a := Exp(in[0])        // [2, 4]
		wl := Exp(in[1])       // [2, 2]
		x := MatMul(wl, in[2]) // [2, 4]
		b := Mul(a, x)         // [2, 4], could take a in
		n := MatMul(a, in[3])  // [2, 2]
		wh := Mul(wl, n)       // [2, 2], could take wl in
		return Concatenate([]*Node{b, wh}, 1)
	}
	want, got := call(t, reference(t), f, in), call(t, newBackend(t, 1), f, in)
	if err := near(want, got, 1e-5); err != nil {
		t.Error(err)
	}
}
