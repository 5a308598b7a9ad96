package simd_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/engine/simd"
)

// What the steps of a small graph cost is known by hand.
func TestProfile(t *testing.T) {
	b, err := simd.New(simd.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	backend := b.(*simd.Backend)
	weights := make([]float32, 5*7)
	for i := range weights {
		weights[i] = float32(i)
	}
	exec := graph.MustNewExec(b, func(x, picture, kernel, table, ids *graph.Node) []*graph.Node {
		w := graph.ConstTensor(x.Graph(), tensors.FromFlatDataAndDimensions(weights, 5, 7))
		return []*graph.Node{
			graph.Exp(graph.Dot(x, w).Product()),
			graph.Convolve(picture, kernel).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done(),
			graph.Gather(table, ids),
		}
	})
	defer exec.Finalize()
	tensor := func(dims ...int) *tensors.Tensor {
		n := 1
		for _, d := range dims {
			n *= d
		}
		return tensors.FromFlatDataAndDimensions(make([]float32, n), dims...)
	}
	args := []any{tensor(3, 5), tensor(1, 8, 6, 2), tensor(3, 3, 2, 4), tensor(1000, 16), tensors.FromFlatDataAndDimensions([]int32{5, 9}, 2, 1)}
	run := func() {
		t.Helper()
		if _, err := exec.Call(args...); err != nil {
			t.Fatal(err)
		}
	}
	run() // not in the profile
	for round := range 2 {
		backend.Profile()
		for range 3 {
			run()
		}
		costs := map[string]simd.StepCost{}
		for _, c := range backend.EndProfile() {
			if _, twice := costs[c.Kind]; twice {
				t.Errorf("round %d: %s is there twice", round, c.Kind)
			}
			costs[c.Kind] = c
		}
		panel := 4.0 * 5 * 16 // the weights, in a panel of at least as many columns
		for kind, want := range map[string]simd.StepCost{
			"product":     {FLOP: 2 * 3 * 5 * 7, Bytes: 4*(3*5+3*7) + panel},
			"elementwise": {Bytes: 4 * 2 * 3 * 7},
			"convolution": {FLOP: 2 * 8 * 6 * 9 * 2 * 4, Bytes: 4 * (8*6*2 + 9*2*4 + 8*6*4)},
			"gather":      {Bytes: 4 * (2*2*16 + 2)},
		} {
			got := costs[kind]
			if got.Time <= 0 || got.FLOP != want.FLOP || got.Bytes < want.Bytes || kind != "product" && got.Bytes != want.Bytes || got.Bytes > 2*want.Bytes {
				t.Errorf("round %d: %s costs %+v, want %+v and some time", round, kind, got, want)
			}
		}
		run() // not in the profile
	}
	if costs := backend.EndProfile(); len(costs) == 0 {
		t.Error("the profile is gone after its end")
	}
}
