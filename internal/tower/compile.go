package tower

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
)

// newStore puts a model's tensors where graphs of an engine find them. It keeps
// them: nobody may change them afterwards.
func newStore(backend compute.Backend, c network.Config, weights map[string][]float32) (*model.Store, error) {
	store := model.NewStore().WithVariableAsConst(true)
	for _, p := range c.Params() {
		values, ok := weights[p.Name]
		if !ok {
			if p.Optional {
				continue
			}
			return nil, fmt.Errorf("no tensor %q", p.Name)
		}
		if len(values) != p.Size() {
			return nil, fmt.Errorf("tensor %q has %d values, its shape is %v", p.Name, len(values), p.Shape)
		}
		err := safely(func() error {
			t, err := engine.Tensor(backend, values, p.Shape...)
			if err == nil {
				_, err = store.CreateVariable("/"+p.Name, t)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", p.Name, err)
		}
	}
	return store, nil
}

// safely turns a panic of the framework into an error.
func safely(f func() error) error {
	var inner error
	if err := exceptions.TryCatch[error](func() { inner = f() }); err != nil {
		return err
	}
	return inner
}

// runnerShapes is how many input shapes a runner keeps compiled.
const runnerShapes = 12

// runner compiles a graph for each shape of its input and runs it. It is for
// one goroutine at a time: the holder of the compute lock.
type runner struct {
	backend compute.Backend
	store   *model.Store
	build   func(w network.Weights, in *graph.Node) []*graph.Node
	// compiled holds one executor a shape, the latest used last.
	compiled []compiled
}

type compiled struct {
	shape []int
	exec  *model.Exec
}

func newRunner(b compute.Backend, s *model.Store, build func(network.Weights, *graph.Node) []*graph.Node) *runner {
	return &runner{backend: b, store: s, build: build}
}

// run computes the graph for an input of a shape; the outputs are copies.
func (r *runner) run(input *tensors.Tensor, shape ...int) (out [][]float32, err error) {
	err = safely(func() error {
		exec, err := r.get(shape)
		if err != nil {
			return err
		}
		results, err := exec.Call(input)
		if err != nil {
			return err
		}
		for _, t := range results {
			flat, err := tensors.CopyFlatData[float32](t)
			if err != nil {
				return err
			}
			out = append(out, flat)
			if err := t.FinalizeAll(); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (r *runner) get(shape []int) (*model.Exec, error) {
	for i, c := range r.compiled {
		if slices.Equal(c.shape, shape) {
			r.compiled = append(slices.Delete(r.compiled, i, i+1), c)
			return c.exec, nil
		}
	}
	exec, err := model.NewExec(r.backend, r.store, func(_ *model.Scope, in *graph.Node) []*graph.Node {
		return r.build(parameters(r.store, in.Graph()), in)
	})
	if err != nil {
		return nil, err
	}
	if len(r.compiled) == runnerShapes {
		r.compiled[0].exec.Finalize()
		r.compiled = slices.Delete(r.compiled, 0, 1)
	}
	r.compiled = append(r.compiled, compiled{shape: slices.Clone(shape), exec: exec})
	return exec, nil
}

func (r *runner) close() {
	for _, c := range r.compiled {
		c.exec.Finalize()
	}
	r.compiled = nil
}

// parameters is how the network's graphs get the store's tensors, each once a
// graph.
func parameters(store *model.Store, g *graph.Graph) network.Weights {
	used := map[string]*graph.Node{}
	return func(name string) *graph.Node {
		n, ok := used[name]
		if !ok {
			v := store.GetVariable("/" + name)
			if v == nil {
				exceptions.Panicf("no tensor %q", name)
			}
			n = v.NodeValue(g)
			used[name] = n
		}
		return n
	}
}

// grids are the sizes of the token grid, [height, width], by those of the
// picture in pixels.
type grids map[[2]int][2]int

// imageGraph is the image tower: pixels [B, 3, H, W] to the picture [B, P], the
// soft assignment of every stage [B, G, L], groups [B, G, P] and patches
// [B, N, P] where there are any. It notes the size of the grid.
func imageGraph(c network.Config, note grids) func(network.Weights, *graph.Node) []*graph.Node {
	return func(w network.Weights, pixels *graph.Node) []*graph.Node {
		out := network.Image(w, c, pixels, network.Mode{})
		size := pixels.Shape().Dimensions
		note[[2]int{size[2], size[3]}] = [2]int{out.GridH, out.GridW}
		nodes := []*graph.Node{out.Embedding}
		for _, s := range out.Stages {
			nodes = append(nodes, s.Soft)
		}
		if len(out.Stages) > 0 {
			nodes = append(nodes, out.GroupEmbeddings)
		}
		if out.PatchEmbeddings != nil {
			nodes = append(nodes, out.PatchEmbeddings)
		}
		return nodes
	}
}

// textGraph is the text tower: ids [B, T] to [B, P].
func textGraph(c network.Config) func(network.Weights, *graph.Node) []*graph.Node {
	return func(w network.Weights, ids *graph.Node) []*graph.Node {
		return []*graph.Node{network.Text(w, c, ids, network.Mode{}).Embedding}
	}
}
