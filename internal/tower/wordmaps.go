package tower

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/groupvit/groupvit/internal/network"
)

// WordMaps makes the maps of a fixed list of words for batches of square windows:
// image tower and products are one compiled graph. It is for one goroutine at a time,
// and must be closed before its towers.
type WordMaps struct {
	towers             *Towers
	words, side, batch int
	grid               [2]int // height, width
	exec               *model.Exec
}

// WordMaps prepares the maps of words, unit vectors [V, P] in rows, for batches of
// windows of side × side pixels. Where the network's map comes from groups or from
// both, so do these.
func (t *Towers) WordMaps(vectors []float32, side, batch int) (*WordMaps, error) {
	p := t.config.EmbedWidth
	w := &WordMaps{towers: t, words: len(vectors) / p, side: side, batch: batch}
	words := tensors.FromFlatDataAndDimensions(vectors, w.words, p)
	err := safely(func() (err error) {
		w.exec, err = model.NewExec(t.image.backend, t.image.store, func(_ *model.Scope, pixels *graph.Node) []*graph.Node {
			g := pixels.Graph()
			out := network.Image(parameters(t.image.store, g), t.config, pixels, network.Mode{})
			w.grid = [2]int{out.GridH, out.GridW}
			return []*graph.Node{wordMaps(out, graph.Const(g, words), t.config.Map())}
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w %s: word maps: %w", ErrModel, t.name, err)
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

// Close frees what was compiled; the towers stay open.
func (w *WordMaps) Close() { w.exec.Finalize() }

// Grid is the number of rows and columns of every map; it is known after the first
// call of Maps.
func (w *WordMaps) Grid() (height, width int) { return w.grid[0], w.grid[1] }

// Maps returns, for each of the first count windows of pixels [batch, 3, side, side],
// the cosine of each word at each place of the grid, [V][N] in one slice.
//
// Errors wrap [ErrModel], [ErrClosed] or ctx's error.
func (w *WordMaps) Maps(ctx context.Context, pixels []float32, count int) ([][]float32, error) {
	t := w.towers
	flat, err := w.run(ctx, pixels)
	if err != nil {
		return nil, err
	}
	size := w.words * w.grid[0] * w.grid[1]
	if err := t.checkFinite(flat[:count*size]); err != nil {
		return nil, fmt.Errorf("%w (image tower, %d×%d pixels)", err, w.side, w.side)
	}
	out := make([][]float32, count)
	for i := range out {
		out[i] = flat[i*size : (i+1)*size : (i+1)*size]
	}
	return out, nil
}

func (w *WordMaps) run(ctx context.Context, pixels []float32) (flat []float32, err error) {
	t := w.towers
	if err := t.lock.Acquire(ctx); err != nil {
		return nil, err
	}
	defer t.lock.Release()
	err = safely(func() error {
		results, err := w.exec.Call(tensors.FromFlatDataAndDimensions(pixels, w.batch, 3, w.side, w.side))
		if err != nil {
			return err
		}
		if flat, err = tensors.CopyFlatData[float32](results[0]); err != nil {
			return err
		}
		return results[0].FinalizeAll()
	})
	if err != nil {
		return nil, fmt.Errorf("%w %s: image tower on %d×%d pixels: %w", ErrModel, t.name, w.side, w.side, err)
	}
	return flat, nil
}
