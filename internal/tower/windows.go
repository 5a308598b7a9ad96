package tower

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"
)

// MaxBatch is how many windows are computed together at most. All of a batch have
// one size, and no more patches together than batchPatches, whose activations then
// stay in the caches.
const (
	MaxBatch     = 4
	batchPatches = 4096
)

// Image is what the image tower says of one window. Vectors are as the network
// projects them, not normalised.
type Image struct {
	// GridH and GridW are the size of the token grid; N = GridH·GridW.
	GridH, GridW int
	// Embedding [P] is the window's.
	Embedding []float32
	// Stages holds the soft assignment of each grouping stage, [G, L]: which of its
	// inputs belongs to which group.
	Stages [][]float32
	// Groups [G, P] are the last stage's; nil for a network without groups.
	Groups []float32
	// Patches [N, P] are nil for a network that embeds none.
	Patches []float32
}

// window is one that waits to be computed.
type window struct {
	pixels        []float32 // [3, height, width]
	height, width int
	done          chan struct{} // closed when image and err are set
	image         Image
	err           error
}

// windowQueue holds the windows that wait, in the order in which they came.
type windowQueue struct {
	mu   sync.Mutex
	list []*window
}

func (q *windowQueue) add(w *window) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, w)
}

// drop removes a window whose caller stopped waiting.
func (q *windowQueue) drop(w *window) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.list, w); i >= 0 {
		q.list = slices.Delete(q.list, i, i+1)
	}
}

// take removes own and others of its size, at most `most`, a power of two in all so
// that few shapes are compiled. It is nil when own has been taken before.
func (q *windowQueue) take(own *window, most int) []*window {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.Contains(q.list, own) {
		return nil
	}
	batch := []*window{own}
	for _, w := range q.list {
		if w != own && w.height == own.height && w.width == own.width && len(batch) < most {
			batch = append(batch, w)
		}
	}
	size := 1
	for 2*size <= len(batch) {
		size *= 2
	}
	batch = batch[:size]
	q.list = slices.DeleteFunc(q.list, func(w *window) bool { return slices.Contains(batch, w) })
	return batch
}

// Image runs the image tower on normalised pixels [3, height, width]. The caller that
// gets the lock also computes other windows of the same size that wait for it; a lone
// window is never delayed.
//
// Errors wrap [ErrModel], [ErrClosed] or ctx's error.
func (t *Towers) Image(ctx context.Context, pixels []float32, height, width int) (Image, error) {
	own := &window{pixels: pixels, height: height, width: width, done: make(chan struct{})}
	t.windows.add(own)
	got, err := t.lock.AcquireUnless(ctx, own.done)
	if err != nil {
		t.windows.drop(own)
		return Image{}, err
	}
	if got {
		if batch := t.windows.take(own, t.batchSize(height, width)); batch != nil {
			t.runBatch(batch)
		}
		t.lock.Release()
	}
	<-own.done
	return own.image, own.err
}

// batchSize is how many windows of a size are computed together.
func (t *Towers) batchSize(height, width int) int {
	p := t.config.PatchSize
	return min(max(batchPatches/max((height/p)*(width/p), 1), 1), MaxBatch)
}

// runBatch computes windows of one size, for the holder of the lock.
func (t *Towers) runBatch(batch []*window) {
	height, width := batch[0].height, batch[0].width
	input := batch[0].pixels
	if len(batch) > 1 {
		input = make([]float32, 0, len(batch)*len(input))
		for _, w := range batch {
			input = append(input, w.pixels...)
		}
	}
	shape := []int{len(batch), 3, height, width}
	out, err := t.image.run(tensors.FromFlatDataAndDimensions(input, shape...), shape...)
	for i, w := range batch {
		var own [][]float32
		for _, all := range out {
			part := all
			if n := len(all) / len(batch); len(batch) > 1 {
				part = slices.Clone(all[i*n : (i+1)*n]) // keeping one window keeps no other
			}
			own = append(own, part)
		}
		if err != nil {
			w.err = fmt.Errorf("%w %s: image tower on %d×%d pixels: %w", ErrModel, t.name, width, height, err)
		} else if w.err = t.checkFinite(own...); w.err != nil {
			w.err = fmt.Errorf("%w (image tower, %d×%d pixels)", w.err, width, height)
		} else {
			w.image = t.imageOf(own, t.grids[[2]int{height, width}])
		}
		close(w.done)
	}
}

// imageOf names the outputs of imageGraph for one window.
func (t *Towers) imageOf(out [][]float32, grid [2]int) Image {
	im := Image{GridH: grid[0], GridW: grid[1], Embedding: out[0]}
	out = out[1:]
	if t.config.HasGroups() {
		stages := len(t.config.StageGroups())
		im.Stages, im.Groups, out = out[:stages], out[stages], out[stages+1:]
	}
	if len(out) > 0 {
		im.Patches = out[0]
	}
	return im
}
