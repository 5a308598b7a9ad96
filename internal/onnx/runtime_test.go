package onnx

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	gomlx "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// TestRuntime: ONNX Runtime computes with the graphs what our engine computes with
// the network: of every variant and of real models, at sizes and batches of all
// kinds. It needs a Python with tools/reference/requirements-speed.txt; GROUPVIT_MODELS
// may list further model directories, divided as in PATH, and GROUPVIT_RUNTIME name
// openvino in its place:
//
//	GROUPVIT_PYTHON=/tmp/speed/bin/python go test ./internal/onnx -run Runtime -v
func TestRuntime(t *testing.T) {
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" {
		t.Skip("GROUPVIT_PYTHON names no Python with ONNX Runtime")
	}
	b, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	exact, halves := &cases{T: t, backend: b, dir: t.TempDir()}, &cases{T: t, backend: b, dir: t.TempDir()}
	tiny := []picture{{1, 16, 16}, {3, 16, 16}, {2, 19, 31}, {1, 4, 40}, {2, 32, 8}}
	for name, c := range configs() {
		m := drawn(c)
		exact.image(name, m, Options{}, tiny...)
		exact.image(name+", fixed", m, Options{Height: 22, Width: 36, Normalised: true}, picture{2, 22, 36}, picture{1, 22, 36})
		exact.image(name+", all fixed", m, Options{Height: 16, Width: 16, Batch: 2}, picture{2, 16, 16})
		exact.text(name, m)
	}
	for name, path := range realModels(t) {
		m := open(t, path)
		side := m.Config.ImageSize
		exact.image(name, m, Options{}, picture{1, side, side}, picture{3, side, side}, picture{1, 2 * side, 3*side/2 + 3})
		exact.image(name+", fixed", m, Options{Height: 2 * side, Width: 2 * side}, picture{1, 2 * side, 2 * side}, picture{3, 2 * side, 2 * side})
		exact.text(name, m)
		halves.image(name, m, Options{Half: true}, picture{1, side, side})
	}
	published := drawn(network.Default())
	exact.image("published", published, Options{}, picture{1, 224, 224}, picture{3, 224, 224}, picture{1, 448, 448}, picture{3, 448, 448}, picture{1, 448, 597})
	exact.image("published, fixed", published, Options{Height: 448, Width: 448}, picture{1, 448, 448}, picture{3, 448, 448})
	exact.text("published", published)
	exact.check(python, "1e-4")
	halves.check(python, "1e-2")
}

// realModels are trained models by name.
func realModels(t *testing.T) map[string]string {
	all := map[string]string{"embedded": "../../models/default", "tiny": "../network/testdata/tiny"}
	for _, path := range filepath.SplitList(os.Getenv("GROUPVIT_MODELS")) {
		all[filepath.Base(filepath.Dir(path))+"-"+filepath.Base(path)] = path
	}
	return all
}

// picture is a batch of pictures of a size.
type picture struct{ batch, height, width int }

// cases writes graphs, and beside each what it has to compute, into a folder.
type cases struct {
	*testing.T
	backend compute.Backend
	dir     string
}

// check has ONNX Runtime compute them.
func (c *cases) check(python, bound string) {
	c.Helper()
	runtime := cmp.Or(os.Getenv("GROUPVIT_RUNTIME"), "onnxruntime")
	cmd := exec.Command(python, "../../tools/reference/check_onnx.py", c.dir, "--bound", bound, "--runtime", runtime)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	c.Logf("%s", out)
	if err != nil {
		c.Error(err)
	}
}

func (c *cases) write(name string, file []byte, err error, expected map[string]weights.Tensor) {
	c.Helper()
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, name+".onnx"), file, 0o666)
	}
	if err == nil {
		err = weights.WriteTensors(filepath.Join(c.dir, name+".safetensors"), expected)
	}
	if err != nil {
		c.Fatalf("%s: %v", name, err)
	}
}

// image adds the graph of pictures of a model, with drawn ones of some sizes.
func (c *cases) image(name string, m *weights.Model, o Options, sizes ...picture) {
	c.Helper()
	expected := map[string]weights.Tensor{}
	for i, p := range sizes {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		given := weights.Tensor{Shape: []int{p.batch, 3, p.height, p.width}, Floats: make([]float32, p.batch*3*p.height*p.width)}
		normal := slices.Clone(given.Floats)
		for j := range normal {
			channel := j / (p.height * p.width) % 3
			x := r.Float32()
			normal[j] = (x - m.Mean[channel]) / m.Std[channel]
			if given.Floats[j] = x; o.Normalised {
				given.Floats[j] = normal[j]
			}
		}
		expected[fmt.Sprintf("%d/in/pixels", i)] = given
		for output, values := range c.images(m, normal, given.Shape) {
			expected[fmt.Sprintf("%d/out/%s", i, output)] = values
		}
	}
	file, err := Image(m, o)
	c.write(name+" image", file, err, expected)
}

// images is what the network says of pictures, as the graph's outputs.
func (c *cases) images(m *weights.Model, pixels []float32, shape []int) map[string]weights.Tensor {
	in := tensors.FromFlatDataAndDimensions(pixels, shape...)
	return c.run(m, in, func(w network.Weights, in *gomlx.Node) map[string]*gomlx.Node {
		o := network.Image(w, m.Config, in, network.Mode{})
		out := map[string]*gomlx.Node{"image": length1(o.Embedding)}
		maps := func(x *gomlx.Node) *gomlx.Node { // [B, …, N] to [B, …, h, w]
			d := x.Shape().Dimensions
			return gomlx.Reshape(x, d[0], d[1], o.GridH, o.GridW)
		}
		if o.GroupEmbeddings != nil {
			out["groups"] = length1(o.GroupEmbeddings)
		}
		for i, s := range o.Stages {
			name := "assignment"
			if i < len(o.Stages)-1 {
				name = fmt.Sprintf("assignment_%d", i+1)
			}
			all := s.Soft
			if i > 0 {
				before := gomlx.Reshape(out[fmt.Sprintf("assignment_%d", i)], all.Shape().Dimensions[0], -1, o.GridH*o.GridW)
				all = gomlx.Einsum("bgk,bkn->bgn", all, before)
			}
			out[name] = maps(all)
		}
		if o.PatchEmbeddings != nil {
			out["patches"] = maps(gomlx.Transpose(length1(o.PatchEmbeddings), 1, 2))
		}
		return out
	})
}

func length1(x *gomlx.Node) *gomlx.Node {
	return gomlx.Div(x, gomlx.Sqrt(gomlx.ReduceAndKeep(gomlx.Square(x), gomlx.ReduceSum, -1)))
}

// text adds the graph of texts of a model, with short and long ones.
func (c *cases) text(name string, m *weights.Model) {
	c.Helper()
	expected := map[string]weights.Tensor{}
	t := m.Config.Text
	r := rand.New(rand.NewPCG(4, 5))
	for i, shape := range [][]int{{1, 3}, {4, t.Context}, {2, 2}, {3, t.Context - 1}} {
		ids := make([]int32, shape[0]*shape[1])
		given := weights.Tensor{Shape: shape, Ints: make([]int64, len(ids))}
		for row := range shape[0] {
			words := min(row, shape[1]-2)
			if row == 0 {
				words = shape[1] - 2
			}
			text := ids[row*shape[1] : (row+1)*shape[1]]
			for j := range words {
				text[1+j] = 1 + int32(r.IntN(t.Vocabulary-4))
			}
			text[0], text[1+words] = int32(t.Vocabulary-2), int32(t.Vocabulary-1)
		}
		for j, id := range ids {
			given.Ints[j] = int64(id)
		}
		expected[fmt.Sprintf("%d/in/ids", i)] = given
		in := tensors.FromFlatDataAndDimensions(ids, shape...)
		out := c.run(m, in, func(w network.Weights, in *gomlx.Node) map[string]*gomlx.Node {
			return map[string]*gomlx.Node{"text": length1(network.Text(w, m.Config, in, network.Mode{}).Embedding)}
		})
		expected[fmt.Sprintf("%d/out/text", i)] = out["text"]
	}
	file, err := Text(m, Options{})
	c.write(name+" text", file, err, expected)
}

// run computes a graph of the network with our engine.
func (c *cases) run(m *weights.Model, in *tensors.Tensor, build func(network.Weights, *gomlx.Node) map[string]*gomlx.Node) map[string]weights.Tensor {
	c.Helper()
	params := m.Config.Params()
	args, at, names := []any{in}, map[string]int{}, []string(nil)
	for _, p := range params {
		if values, ok := m.Tensors[p.Name]; ok {
			at[p.Name] = len(args)
			args = append(args, tensors.FromFlatDataAndDimensions(values, p.Shape...))
		}
	}
	exec, err := gomlx.NewExec(c.backend, func(nodes []*gomlx.Node) []*gomlx.Node {
		out := build(func(name string) *gomlx.Node { return nodes[at[name]] }, nodes[0])
		names = slices.Sorted(maps.Keys(out))
		list := make([]*gomlx.Node, len(names))
		for i, name := range names {
			list[i] = out[name]
		}
		return list
	})
	if err != nil {
		c.Fatal(err)
	}
	defer exec.Finalize()
	results, err := exec.Call(args...)
	if err != nil {
		c.Fatal(err)
	}
	out := map[string]weights.Tensor{}
	for i, r := range results {
		values := tensors.MustCopyFlatData[float32](r)
		if i := slices.IndexFunc(values, func(x float32) bool { return math.IsNaN(float64(x)) }); i >= 0 {
			c.Fatalf("%s: no number", names[i])
		}
		out[names[i]] = weights.Tensor{Shape: r.Shape().Dimensions, Floats: values}
	}
	return out
}
