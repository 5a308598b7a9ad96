package groupvit

import (
	"context"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/tower"
)

// WordMaps makes, of many photos, the maps of a fixed list of words: each photo is
// squashed to a square and encoded once, a batch of photos at a time, and towers and
// products are one compiled graph. It is for labelling many photos; [Model.Encode]
// answers any query about one, and encodes it more closely.
//
// It is for one goroutine at a time, and must be closed before its model.
type WordMaps struct {
	model       *Model
	maps        *tower.WordMaps
	side, batch int
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
	maps, err := m.towers.WordMaps(rows, side, batch)
	if err != nil {
		return nil, err
	}
	return &WordMaps{model: m, maps: maps, side: side, batch: batch, pixels: make([]float32, 3*batch*side*side)}, nil
}

// Close frees what was compiled; the model stays open.
func (w *WordMaps) Close() { w.maps.Close() }

// Batch is the largest number of photos of a call.
func (w *WordMaps) Batch() int { return w.batch }

// Grid is the number of rows and columns of every map; it is known after the first
// call of Maps.
func (w *WordMaps) Grid() (height, width int) { return w.maps.Grid() }

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
	return w.maps.Maps(ctx, w.pixels, len(photos))
}
