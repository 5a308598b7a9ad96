package groupvit

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"
)

// Windows of one size that wait for the turn are computed together: as many as
// windowBatch, and no more patches in all than batchPatches, whose activations
// then stay in the caches.
const (
	windowBatch  = 4
	batchPatches = 4096
)

// pending is a window that waits to be computed.
type pending struct {
	pixels        []float32 // [3, height, width]
	height, width int
	done          chan struct{} // closed when out and err are set
	out           [][]float32
	grid          [2]int // height, width
	err           error
}

// pendings are the windows that wait, in the order in which they came.
type pendings struct {
	mu   sync.Mutex
	list []*pending
}

func (q *pendings) add(p *pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, p)
}

// drop forgets a window that nobody waits for any more.
func (q *pendings) drop(p *pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.list, p); i >= 0 {
		q.list = slices.Delete(q.list, i, i+1)
	}
}

// take removes own and others of its size, at most `most`, a power of two in
// all so that few shapes are compiled. It is nil when own has been taken before.
func (q *pendings) take(own *pending, most int) []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.Contains(q.list, own) {
		return nil
	}
	batch := []*pending{own}
	for _, p := range q.list {
		if p != own && p.height == own.height && p.width == own.width && len(batch) < most {
			batch = append(batch, p)
		}
	}
	size := 1
	for 2*size <= len(batch) {
		size *= 2
	}
	batch = batch[:size]
	q.list = slices.DeleteFunc(q.list, func(p *pending) bool { return slices.Contains(batch, p) })
	return batch
}

// runImage runs the image tower on normalised pixels [3, height, width]. Whoever
// gets the turn computes those of the others that wait with windows of the same
// size too; alone, nobody waits for company. It returns the outputs of imageGraph
// for one picture and the size of the token grid.
func (m *Model) runImage(ctx context.Context, pixels []float32, height, width int) ([][]float32, [2]int, error) {
	own := &pending{pixels: pixels, height: height, width: width, done: make(chan struct{})}
	m.pending.add(own)
	got, err := m.turn.takeUnless(ctx, own.done)
	if err != nil {
		m.pending.drop(own)
		return nil, own.grid, err
	}
	if got {
		if batch := m.pending.take(own, m.batchSize(height, width)); batch != nil {
			m.runBatch(batch)
		}
		m.turn.give()
	}
	<-own.done
	return own.out, own.grid, own.err
}

// batchSize is how many windows of a size are computed together.
func (m *Model) batchSize(height, width int) int {
	p := m.config.PatchSize
	return min(max(batchPatches/max((height/p)*(width/p), 1), 1), windowBatch)
}

// runBatch computes windows of one size, for the holder of the turn.
func (m *Model) runBatch(batch []*pending) {
	height, width := batch[0].height, batch[0].width
	input := batch[0].pixels
	if len(batch) > 1 {
		input = make([]float32, 0, len(batch)*len(input))
		for _, p := range batch {
			input = append(input, p.pixels...)
		}
	}
	shape := []int{len(batch), 3, height, width}
	out, err := m.image.run(tensors.FromFlatDataAndDimensions(input, shape...), shape...)
	for i, p := range batch {
		p.grid = m.grids[[2]int{height, width}]
		for _, all := range out {
			part := all
			if n := len(all) / len(batch); len(batch) > 1 {
				part = slices.Clone(all[i*n : (i+1)*n]) // who keeps one keeps no other
			}
			p.out = append(p.out, part)
		}
		if err != nil {
			p.err = fmt.Errorf("%w %s: image tower on %d×%d pixels: %w", ErrModel, m.name, width, height, err)
		} else if p.err = m.checkFinite(p.out...); p.err != nil {
			p.err = fmt.Errorf("%w (image tower, %d×%d pixels)", p.err, width, height)
		}
		close(p.done)
	}
}
