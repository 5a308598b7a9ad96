package pairs

import (
	"context"
	"fmt"

	"github.com/groupvit/groupvit/internal/parallel"
)

// making is a batch that is being made.
type making struct {
	*Loader
	batch *Batch
	crop  side
	// drawn are the samples of the slots so far, with their numbers. Where there are
	// parts, those of earlier parts have no pictures any more.
	drawn   []*loaded
	numbers []int
	// cells are the label maps of the slots; nil without.
	cells []*cells
	rows  *rows // once all are drawn
}

// make makes batch number step and hands it out, in parts where the options say so,
// until hand returns false.
func (l *Loader) make(ctx context.Context, step int, hand func(*Part) bool) error {
	o := l.options
	m := &making{Loader: l, drawn: make([]*loaded, o.Batch), numbers: make([]int, o.Batch)}
	if o.Labels {
		m.cells = make([]*cells, o.Batch)
	}
	m.batch = &Batch{Step: step, Size: o.Batch, ImageSize: o.ImageSize, Context: o.Context}
	m.crop = o.Augment.batchCrop(roll(o.Seed, forCrop, uint64(step)))
	if o.Part == 0 {
		p, err := m.part(ctx, 0, o.Batch, false)
		if err == nil {
			m.batch.Pixels = p.Pixels
			l.words(m.batch, m.drawn, m.cells).fill(m.batch)
			hand(p)
		}
		return err
	}
	passes := 1
	if o.Twice {
		passes = 2
	}
	for pass := range passes {
		again := pass == 1
		for from := 0; from < o.Batch; from += o.Part {
			p, err := m.part(ctx, from, min(o.Part, o.Batch-from), again)
			if err != nil {
				return err
			}
			if !again && from+p.Size == o.Batch {
				m.rows = l.words(m.batch, m.drawn, m.cells)
			}
			p.rows = m.rows
			if !hand(p) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// part makes the pictures of slots from … from+size.
func (m *making) part(ctx context.Context, from, size int, again bool) (*Part, error) {
	o, n := m.options, 3*m.options.ImageSize*m.options.ImageSize
	p := &Part{Batch: m.batch, From: from, Size: size, Again: again, Pixels: make([]float32, size*n)}
	err := parallel.For(ctx, size, o.Workers, func(ctx context.Context, i int) error {
		return m.slot(ctx, from+i, again, p.Pixels[i*n:(i+1)*n])
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// slot makes the picture of slot i.
func (m *making) slot(ctx context.Context, i int, again bool, pixels []float32) (err error) {
	step := m.batch.Step
	var s *loaded
	if again {
		if s, err = m.load(ctx, m.numbers[i]); s == nil && err == nil {
			err = fmt.Errorf("%w: %s: picture %s could be read a moment ago", ErrVanished, m.index.Source(m.numbers[i]), m.drawn[i].key)
		}
	} else {
		s, m.numbers[i], err = m.draw(ctx, step, i)
	}
	if err != nil {
		return err
	}
	seen, err := m.compose(ctx, pixels, s, step, i)
	if err != nil {
		return err
	}
	if !again { // the second time somebody may read the rows
		if m.options.Part > 0 {
			s = s.text()
		}
		m.drawn[i] = s
		if m.cells != nil {
			m.cells[i] = seen
		}
	}
	return nil
}
