package speed

import (
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
)

// Job is work that is ready to run, again and again, on one goroutine.
type Job struct {
	// Run does the work once.
	Run func() error
	// Close frees what the job holds; nil is nothing.
	Close func()
}

func (j *Job) close() {
	if j != nil && j.Close != nil {
		j.Close()
	}
}

// Opener makes a case's job on its engine.
type Opener func(backend compute.Backend, c Case) (*Job, error)

// openers are those of this package; training is the business of a floor above.
var openers = map[Work]Opener{Image: openImage, Text: openText, Product: openProduct}

// safely turns a panic of the framework into an error.
func safely(f func() error) error {
	var inner error
	if err := exceptions.TryCatch[error](func() { inner = f() }); err != nil {
		return err
	}
	return inner
}

func openImage(backend compute.Backend, c Case) (*Job, error) {
	pixels := Noise(c.Batch * 3 * c.ImageSize * c.ImageSize)
	build := func(w network.Weights, pixels *graph.Node) []*graph.Node {
		out := network.Image(w, c.Network, pixels, network.Mode{})
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
	return openNetwork(backend, c, build, func() *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(pixels, c.Batch, 3, c.ImageSize, c.ImageSize)
	})
}

func openText(backend compute.Backend, c Case) (*Job, error) {
	t := c.Network.Text
	ids := Words(c.Batch, t.Context, t.Vocabulary)
	build := func(w network.Weights, ids *graph.Node) []*graph.Node {
		return []*graph.Node{network.Text(w, c.Network, ids, network.Mode{}).Embedding}
	}
	return openNetwork(backend, c, build, func() *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(ids, c.Batch, t.Context)
	})
}

// openNetwork makes a job of a graph over drawn weights, which are constants to
// the engine as in inference.
func openNetwork(backend compute.Backend, c Case, build func(network.Weights, *graph.Node) []*graph.Node, input func() *tensors.Tensor) (*Job, error) {
	var exec *model.Exec
	var x *tensors.Tensor
	err := safely(func() error {
		store := model.NewStore().WithVariableAsConst(true)
		for _, p := range c.Network.Params() {
			t, err := engine.Tensor(backend, p.Initial(0), p.Shape...)
			if err == nil {
				_, err = store.CreateVariable("/"+p.Name, t)
			}
			if err != nil {
				return err
			}
		}
		var err error
		exec, err = model.NewExec(backend, store, func(_ *model.Scope, in *graph.Node) []*graph.Node {
			return build(weightsOf(store, in.Graph()), in)
		})
		x = input()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Job{
		Run:   func() error { return safely(func() error { return finish(exec.Call(x)) }) },
		Close: func() { _ = safely(func() error { exec.Finalize(); exec.Store().Finalize(); return x.FinalizeAll() }) },
	}, nil
}

// weightsOf gives each weight once a graph.
func weightsOf(store *model.Store, g *graph.Graph) network.Weights {
	used := map[string]*graph.Node{}
	return func(name string) *graph.Node {
		if used[name] == nil {
			v := store.GetVariable("/" + name)
			if v == nil {
				exceptions.Panicf("no tensor %q", name)
			}
			used[name] = v.NodeValue(g)
		}
		return used[name]
	}
}

// openProduct makes a product: for simd its kernel alone, for others a graph.
func openProduct(backend compute.Backend, c Case) (*Job, error) {
	if c.Engine == engine.SIMD {
		return openKernel(c)
	}
	s := c.Shape
	var exec *graph.Exec
	var a, b *tensors.Tensor
	err := safely(func() error {
		var err error
		exec, err = graph.NewExec(backend, func(a, b *graph.Node) *graph.Node { return graph.Einsum("mk,kn->mn", a, b) })
		a = tensors.FromFlatDataAndDimensions(Noise(s.M*s.K), s.M, s.K)
		b = tensors.FromFlatDataAndDimensions(Noise(s.K*s.N), s.K, s.N)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Job{
		Run: func() error { return safely(func() error { return finish(exec.Call(a, b)) }) },
		Close: func() {
			_ = safely(func() error { exec.Finalize(); _ = a.FinalizeAll(); return b.FinalizeAll() })
		},
	}, nil
}

// finish waits for the results of a call and frees them.
func finish(out []*tensors.Tensor, err error) error {
	if err != nil {
		return err
	}
	for _, t := range out {
		t.MustConstFlatData(func(any) {}) // brings the values to the program
		if err := t.FinalizeAll(); err != nil {
			return err
		}
	}
	return nil
}

// Noise draws n normal values, the same ones each time.
func Noise(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// Words draws texts [count, length] of a vocabulary whose last id ends a text.
func Words(count, length, vocabulary int) []int32 {
	r := rand.New(rand.NewPCG(3, 4))
	ids := make([]int32, count*length)
	for i := range ids {
		ids[i] = int32(r.IntN(max(1, vocabulary-2)))
		if (i+1)%length == 0 {
			ids[i] = int32(vocabulary - 1)
		}
	}
	return ids
}
