package groupvit

import (
	"context"
	"fmt"
	"image"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/network"
)

// WordMaps makes, of many photos, the maps of a fixed list of words: each photo is
// squashed to a square and seen once, a batch of photos at a time, and towers and
// products are one compiled graph. It is for labelling many photos; [Model.Encode]
// answers any question about one, and looks at it more closely.
//
// It is for one goroutine at a time, and must be closed before its model.
type WordMaps struct {
	model       *Model
	words       int
	side, batch int
	grid        [2]int // height, width
	exec        *model.Exec
	pixels      []float32 // [batch, 3, side, side]
}

// NewWordMaps prepares the maps of words, given by their unit vectors of the model's
// embedding width, for batches of photos that are seen at side × side pixels. Where
// the model reads its map from groups or from both, so do these maps.
//
// Errors wrap [ErrOption], [ErrTooLarge], [ErrModel] or [ErrClosed].
func (m *Model) NewWordMaps(vectors [][]float32, side, batch int) (*WordMaps, error) {
	p := m.config.EmbedWidth
	if err := limits.Check("number of words", "words", int64(len(vectors)), limits.Classes, "name fewer"); err != nil {
		return nil, err
	}
	if len(vectors) == 0 {
		return nil, fmt.Errorf("%w: no words", ErrOption)
	}
	if side < m.config.PatchSize || side > limits.SeenSide || batch < 1 || batch > 1024 {
		return nil, fmt.Errorf("%w: %d photos of %d pixels: 1 to 1024 photos of %d to %d pixels", ErrOption, batch, side, m.config.PatchSize, limits.SeenSide)
	}
	rows := make([]float32, 0, len(vectors)*p)
	for i, v := range vectors {
		if len(v) != p {
			return nil, fmt.Errorf("%w: vector %d has %d values, the model's width is %d", ErrOption, i+1, len(v), p)
		}
		rows = append(rows, v...)
	}
	w := &WordMaps{model: m, words: len(vectors), side: side, batch: batch, pixels: make([]float32, 3*batch*side*side)}
	words := tensors.FromFlatDataAndDimensions(rows, len(vectors), p)
	err := safely(func() error {
		var err error
		w.exec, err = model.NewExec(m.backend, m.image.store, func(_ *model.Scope, pixels *graph.Node) []*graph.Node {
			g := pixels.Graph()
			out := network.Image(parameters(m.image.store, g), m.config, pixels, network.Mode{})
			w.grid = [2]int{out.GridH, out.GridW}
			return []*graph.Node{wordMaps(out, graph.Const(g, words), m.config.Map())}
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w %s: word maps: %w", ErrModel, m.name, err)
	}
	return w, nil
}

// wordMaps are the cosines of places and unit words [V, P]: [B, V, N].
func wordMaps(out network.ImageOutput, words *graph.Node, from network.MapSource) *graph.Node {
	var maps *graph.Node
	if from != network.MapGroups {
		maps = graph.Einsum("bnp,vp->bvn", unit(out.PatchEmbeddings), words)
	}
	if from != network.MapPatches {
		groups := graph.Einsum("bgp,vp->bvg", unit(out.GroupEmbeddings), words)
		groups = graph.Einsum("bvg,bgn->bvn", groups, out.Assignment)
		if maps == nil {
			return groups
		}
		maps = graph.MulScalar(graph.Add(maps, groups), 0.5)
	}
	return maps
}

// unit makes the last axis unit vectors.
func unit(x *graph.Node) *graph.Node {
	square := graph.ReduceAndKeep(graph.Mul(x, x), graph.ReduceSum, -1)
	return graph.Mul(x, graph.Rsqrt(graph.AddScalar(square, 1e-12)))
}

// Close frees what was compiled; the model stays open.
func (w *WordMaps) Close() { w.exec.Finalize() }

// Batch is the largest number of photos of a call.
func (w *WordMaps) Batch() int { return w.batch }

// Grid is the number of rows and columns of every map; it is known after the first
// call of Maps.
func (w *WordMaps) Grid() (height, width int) { return w.grid[0], w.grid[1] }

// Maps returns, for each of at most [WordMaps.Batch] photos, the cosine of each word
// at each place of the grid, [words][height·width] in one slice.
func (w *WordMaps) Maps(ctx context.Context, photos []image.Image) ([][]float32, error) {
	if len(photos) == 0 || len(photos) > w.batch {
		return nil, fmt.Errorf("%w: %d photos of a batch of %d", ErrOption, len(photos), w.batch)
	}
	m, n := w.model, 3*w.side*w.side
	for i, photo := range photos {
		im, err := toImage(photo)
		if err != nil {
			return nil, err
		}
		if im, err = imaging.ResizePIL(im, w.side, w.side, imaging.Bilinear); err != nil {
			return nil, err
		}
		imaging.NormalizeInto(w.pixels[i*n:(i+1)*n], im, m.weights.Mean, m.weights.Std)
	}
	clear(w.pixels[len(photos)*n:]) // one shape is compiled
	flat, err := w.run(ctx)
	if err != nil {
		return nil, err
	}
	size := w.words * w.grid[0] * w.grid[1]
	if err := m.checkFinite(flat[:len(photos)*size]); err != nil {
		return nil, fmt.Errorf("%w (image tower, %d×%d pixels)", err, w.side, w.side)
	}
	out := make([][]float32, len(photos))
	for i := range out {
		out[i] = flat[i*size : (i+1)*size : (i+1)*size]
	}
	return out, nil
}

func (w *WordMaps) run(ctx context.Context) (flat []float32, err error) {
	m := w.model
	if err := m.turn.take(ctx); err != nil {
		return nil, err
	}
	defer m.turn.give()
	err = safely(func() error {
		results, err := w.exec.Call(tensors.FromFlatDataAndDimensions(w.pixels, w.batch, 3, w.side, w.side))
		if err != nil {
			return err
		}
		if flat, err = tensors.CopyFlatData[float32](results[0]); err != nil {
			return err
		}
		return results[0].FinalizeAll()
	})
	if err != nil {
		return nil, fmt.Errorf("%w %s: image tower on %d×%d pixels: %w", ErrModel, m.name, w.side, w.side, err)
	}
	return flat, nil
}
