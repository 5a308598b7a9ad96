package experiment

import (
	"context"
	"fmt"
	"image"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// openWeights reads a model by its folder, or the embedded one.
func openWeights(name string) (*weights.Model, error) {
	if name != groupvit.DefaultModel {
		return weights.Open(name)
	}
	files, err := groupvit.DefaultFiles()
	if err != nil {
		return nil, err
	}
	return weights.OpenFS(files, ".")
}

// encoder runs an image tower and shows what the root package does not: features
// of patches, and the assignments of every stage.
type encoder struct {
	weights *weights.Model
	backend compute.Backend
	store   *model.Store
	exec    *model.Exec
	// side is the short side photos are looked at with.
	side int

	mutex sync.Mutex
	grid  map[[2]int][2]int // of tokens, by the size of a picture whose graph is compiled
}

// mostShapes is the number of sizes whose graphs are kept compiled: photos of a data
// set may have a thousand.
const mostShapes = 16

func openEncoder(name, kind string, threads, side int) (*encoder, error) {
	w, err := openWeights(name)
	if err != nil {
		return nil, err
	}
	backend, err := engine.New(engine.Options{Kind: kind, Threads: threads})
	if err != nil {
		return nil, err
	}
	if side == 0 {
		side = w.Config.ImageSize
	}
	e := &encoder{weights: w, backend: backend, side: side, grid: map[[2]int][2]int{}}
	if e.store, err = storeOf(backend, w.Config.Params(), w.Tensors); err == nil {
		err = e.compile()
	}
	if err != nil {
		backend.Finalize()
		return nil, err
	}
	return e, nil
}

// compile makes an executor that has compiled nothing yet.
func (e *encoder) compile() (err error) {
	clear(e.grid)
	e.exec, err = model.NewExec(e.backend, e.store, func(_ *model.Scope, in []*Node) []*Node { return e.build(in[0]) })
	if err == nil {
		e.exec.SetMaxCache(-1) // look sees to it
	}
	return err
}

func (e *encoder) close() {
	_ = exceptions.TryCatch[error](func() { e.exec.Finalize() })
	e.backend.Finalize()
}

// storeOf puts tensors where graphs find them.
func storeOf(backend compute.Backend, params []network.Param, values map[string][]float32) (*model.Store, error) {
	store := model.NewStore().WithVariableAsConst(true)
	for _, p := range params {
		v, ok := values[p.Name]
		if !ok && p.Optional {
			continue
		}
		if len(v) != p.Size() {
			return nil, fmt.Errorf("tensor %q has %d values, its shape is %v", p.Name, len(v), p.Shape)
		}
		t, err := engine.Tensor(backend, v, p.Shape...)
		if err == nil {
			_, err = store.CreateVariable("/"+p.Name, t)
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", p.Name, err)
		}
	}
	return store, nil
}

// nodesOf hands a graph the store's tensors, each once.
func nodesOf(store *model.Store, g *Graph) network.Weights {
	used := map[string]*Node{}
	return func(name string) *Node {
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

// build is the graph: pixels [1, 3, H, W] to the picture [1, P], the soft
// assignment of each stage [1, G, L], groups [1, G, P], and, where the network
// projects patches, those [1, N, P] and their features [1, N, D].
func (e *encoder) build(pixels *Node) []*Node {
	w, c := nodesOf(e.store, pixels.Graph()), e.weights.Config
	f := network.ImageTower(w, c, pixels, network.Mode{})
	out := network.ImageHead(w, c, f, network.Mode{})
	size := pixels.Shape().Dimensions
	e.grid[[2]int{size[2], size[3]}] = [2]int{out.GridH, out.GridW}
	nodes := []*Node{out.Embedding}
	for _, s := range out.Stages {
		nodes = append(nodes, s.Soft)
	}
	if len(out.Stages) > 0 {
		nodes = append(nodes, out.GroupEmbeddings)
	}
	if out.PatchEmbeddings != nil {
		nodes = append(nodes, out.PatchEmbeddings, f.Patches)
	}
	return nodes
}

// look is a photo as the network sees it, in one window.
type look struct {
	view *assign.View
	// soft are the assignments of each stage [G_i, L_i].
	soft [][]float32
	// features [N, D] are patches before the projection; nil where the network
	// projects none.
	features []float32
}

func (l *look) window() *assign.Window { return &l.view.Windows[0] }

// fit resizes a photo so that its short side is side and both are whole patches.
func fit(photo image.Image, side, patch int) (*imaging.Image, error) {
	im, ok := photo.(*imaging.Image)
	if !ok {
		var err error
		if im, err = imaging.FromImage(photo); err != nil {
			return nil, err
		}
	}
	width, height := imaging.ShortSide(im.Width, im.Height, side)
	whole := func(v int) int { return max(1, (v+patch/2)/patch) * patch }
	return imaging.ResizePIL(im, whole(width), whole(height), imaging.Bilinear)
}

func (e *encoder) look(ctx context.Context, photo image.Image) (*look, error) {
	c := e.weights.Config
	im, err := fit(photo, e.side, c.PatchSize)
	if err != nil {
		return nil, err
	}
	pixels := imaging.Normalize(im, e.weights.Mean, e.weights.Std)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if _, known := e.grid[[2]int{im.Height, im.Width}]; !known && len(e.grid) >= mostShapes {
		_ = exceptions.TryCatch[error](func() { e.exec.Finalize() })
		if err := e.compile(); err != nil {
			return nil, err
		}
	}
	out, err := call(e.exec, pixels, 1, 3, im.Height, im.Width)
	if err != nil {
		return nil, err
	}
	grid := e.grid[[2]int{im.Height, im.Width}]
	b := photo.Bounds()
	w := assign.Window{Rect: assign.Rect{Width: im.Width, Height: im.Height}, GridH: grid[0], GridW: grid[1], Image: out[0]}
	l := &look{view: &assign.View{Width: b.Dx(), Height: b.Dy(), SeenWidth: im.Width, SeenHeight: im.Height}}
	out = out[1:]
	if groups := stageGroups(c); len(groups) > 0 {
		l.soft = out[:len(groups)]
		for i := range groups {
			w.Stages = append(w.Stages, assign.Chain(l.soft[:i+1], groups[:i+1]))
		}
		w.Assign, w.Groups = w.Stages[len(groups)-1], out[len(groups)]
		assign.Normalize(w.Groups, c.EmbedWidth)
		out = out[len(groups)+1:]
	}
	if len(out) > 0 {
		w.Patches, l.features = out[0], out[1]
		assign.Normalize(w.Patches, c.EmbedWidth)
	}
	l.view.Windows = []assign.Window{w}
	return l, nil
}

// stageGroups is the number of groups of each grouping block.
func stageGroups(c network.Config) (groups []int) {
	for i, s := range c.GroupTokens {
		if s > 0 {
			groups = append(groups, c.OutputGroups[i])
		}
	}
	return groups
}

// call runs a graph on one input; the outputs are copies.
func call(exec *model.Exec, data []float32, dims ...int) (out [][]float32, err error) {
	err = exceptions.TryCatch[error](func() {
		input := tensors.FromFlatDataAndDimensions(data, dims...)
		defer input.MustFinalizeAll()
		results, err := exec.Call(input)
		if err != nil {
			panic(err)
		}
		for _, t := range results {
			out = append(out, tensors.MustCopyFlatData[float32](t))
			t.MustFinalizeAll()
		}
	})
	return out, err
}
