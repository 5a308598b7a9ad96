package network_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/network"
)

// array is a tensor on the way into or out of a test: exactly one of f and i.
type array struct {
	shape []int
	f     []float64
	i     []int32
}

func (a array) size() int { return max(len(a.f), len(a.i)) }

// largest returns the largest magnitude.
func (a array) largest() float64 {
	m := 0.0
	for _, v := range a.f {
		m = max(m, math.Abs(v))
	}
	return m
}

func (a array) tensor(d dtypes.DType) *tensors.Tensor {
	switch {
	case a.i != nil:
		return tensors.FromFlatDataAndDimensions(a.i, a.shape...)
	case d == dtypes.Float64:
		return tensors.FromFlatDataAndDimensions(a.f, a.shape...)
	}
	flat := make([]float32, len(a.f))
	for i, v := range a.f {
		flat[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(flat, a.shape...)
}

func fromTensor(t *tensors.Tensor) array {
	a := array{shape: t.Shape().Dimensions}
	switch t.DType() {
	case dtypes.Float64:
		a.f = tensors.MustCopyFlatData[float64](t)
	case dtypes.Float32:
		a.f = widen(tensors.MustCopyFlatData[float32](t))
	case dtypes.Int32:
		a.i = tensors.MustCopyFlatData[int32](t)
	}
	return a
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// readTensors reads a safetensors file of F32, I32 and I64 tensors that this
// repository holds: trusted, unlike what the weights package reads.
func readTensors(t testing.TB, path ...string) map[string]array {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(raw)
	var header map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	body, out := raw[8+n:], map[string]array{}
	for name, h := range header {
		if name == "__metadata__" {
			continue
		}
		data, a := body[h.Offsets[0]:h.Offsets[1]], array{shape: h.Shape}
		for at := 0; at < len(data); at += 4 {
			bits := binary.LittleEndian.Uint32(data[at:])
			if h.DType == "F32" {
				a.f = append(a.f, float64(math.Float32frombits(bits)))
			} else if h.DType == "I32" {
				a.i = append(a.i, int32(bits))
			}
		}
		out[name] = a
	}
	return out
}

// compute runs a graph once: build gets the parameters by name and the inputs in
// order, and its nodes come back by name.
func runGraph(t testing.TB, b compute.Backend, d dtypes.DType, params map[string]array, inputs []array,
	build func(w network.Weights, in []*graph.Node) map[string]*graph.Node) map[string]array {
	t.Helper()
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	var outNames []string
	exec, err := graph.NewExec(b, func(nodes []*graph.Node) []*graph.Node {
		given := map[string]*graph.Node{}
		for i, name := range names {
			given[name] = nodes[i]
		}
		weights := func(name string) *graph.Node {
			node, ok := given[name]
			if !ok {
				panic("test: no parameter " + name)
			}
			return node
		}
		outNames = nil
		var out []*graph.Node
		for name, node := range build(weights, nodes[len(names):]) {
			if node != nil {
				outNames, out = append(outNames, name), append(out, node)
			}
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	var args []any
	for _, name := range names {
		args = append(args, params[name].tensor(d))
	}
	for _, in := range inputs {
		args = append(args, in.tensor(d))
	}
	results, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]array{}
	for i, r := range results {
		out[outNames[i]] = fromTensor(r)
	}
	return out
}

// checkClose fails when got differs from want by more than bound times want's
// largest magnitude, and returns that relative difference.
func checkClose(t testing.TB, name string, got, want array, bound float64) float64 {
	t.Helper()
	if got.size() != want.size() {
		t.Errorf("%s: shape %v, want %v", name, got.shape, want.shape)
		return math.Inf(1)
	}
	worst, at := 0.0, 0
	for i := range want.f {
		if d := math.Abs(got.f[i] - want.f[i]); d > worst || math.IsNaN(d) {
			worst, at = d, i
		}
	}
	relative := worst / max(want.largest(), 1e-30)
	if !(relative <= bound) {
		t.Errorf("%s: element %d is %.9g, want %.9g: %.2g of the largest magnitude, allowed %.2g",
			name, at, got.f[at], want.f[at], relative, bound)
	}
	return relative
}
