package pairs

import (
	"context"
	"fmt"

	"github.com/groupvit/groupvit/internal/parallel"
)

// batchBuilder builds one batch.
type batchBuilder struct {
	*Loader
	batch *Batch
	crop  side
	// drawn are the samples of the batch so far, by their index in it, and numbers
	// theirs in the index of all. With micro-batches, those of earlier ones have no
	// pixels any more.
	drawn   []*loaded
	numbers []int
	// cells are the label maps by index in the batch; nil without.
	cells []*cells
	rows  *rows // once all samples are drawn
}

// build builds the batch of a step and passes it to emit, in micro-batches where the
// options ask for them, until emit returns false.
func (l *Loader) build(ctx context.Context, step int, emit func(*MicroBatch) bool) error {
	o := l.options
	b := &batchBuilder{Loader: l, drawn: make([]*loaded, o.Batch), numbers: make([]int, o.Batch)}
	if o.Labels {
		b.cells = make([]*cells, o.Batch)
	}
	b.batch = &Batch{Step: step, Size: o.Batch, ImageSize: o.ImageSize, Context: o.Context}
	b.crop = o.Augment.batchCrop(newRNG(o.Seed, forCrop, uint64(step)))
	if o.MicroBatch == 0 {
		m, err := b.microBatch(ctx, 0, o.Batch, false)
		if err == nil {
			b.batch.Pixels = m.Pixels
			l.words(b.batch, b.drawn, b.cells).fill(b.batch)
			emit(m)
		}
		return err
	}
	passes := 1
	if o.TwoPasses {
		passes = 2
	}
	for pass := range passes {
		second := pass == 1
		for from := 0; from < o.Batch; from += o.MicroBatch {
			m, err := b.microBatch(ctx, from, min(o.MicroBatch, o.Batch-from), second)
			if err != nil {
				return err
			}
			if !second && from+m.Size == o.Batch {
				b.rows = l.words(b.batch, b.drawn, b.cells)
			}
			m.rows = b.rows
			if !emit(m) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// microBatch builds the images from … from+size−1 of the batch.
func (b *batchBuilder) microBatch(ctx context.Context, from, size int, second bool) (*MicroBatch, error) {
	o, n := b.options, 3*b.options.ImageSize*b.options.ImageSize
	m := &MicroBatch{Batch: b.batch, From: from, Size: size, SecondPass: second, Pixels: make([]float32, size*n)}
	err := parallel.For(ctx, size, o.Workers, func(ctx context.Context, i int) error {
		return b.image(ctx, from+i, second, m.Pixels[i*n:(i+1)*n])
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// image builds image i of the batch.
func (b *batchBuilder) image(ctx context.Context, i int, second bool, pixels []float32) (err error) {
	step := b.batch.Step
	var s *loaded
	if second {
		if s, err = b.load(ctx, b.numbers[i]); s == nil && err == nil {
			err = fmt.Errorf("%w: %s: photo %s could be read in the first pass", ErrVanished, b.index.Source(b.numbers[i]), b.drawn[i].key)
		}
	} else {
		s, b.numbers[i], err = b.draw(ctx, step, i)
	}
	if err != nil {
		return err
	}
	seen, err := b.compose(ctx, pixels, s, step, i)
	if err != nil {
		return err
	}
	if !second { // in the second pass the rows may be read at the same time
		if b.options.MicroBatch > 0 {
			s = s.text()
		}
		b.drawn[i] = s
		if b.cells != nil {
			b.cells[i] = seen
		}
	}
	return nil
}
