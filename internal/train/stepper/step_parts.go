package stepper

import (
	"errors"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/pairs"
)

// stepInParts is a step whose towers see settings.MicroBatch pictures, and as
// many texts, at a time; see parts. It takes the parts of the batch from next,
// twice where the image tower learns.
func (t *Stepper) stepInParts(next source, numbers []float32) (*pairs.Batch, map[string]float64, error) {
	last, metrics, err := t.imageFeatures(next)
	if err != nil {
		return nil, nil, err
	}
	b := last.Batch
	texts := newTextParts(b, t.settings.MicroBatch)
	var moments []moment
	for _, stage := range []func() error{
		func() error { return t.textFeatures(texts) },
		func() error { moments, err = t.throughHeads(last, texts.count, metrics); return err },
		func() error { return t.imageGradients(b, next) },
		func() error { return t.textGradients(texts) },
	} {
		if err := stage(); err != nil {
			return nil, nil, err
		}
	}
	a := t.arguments()
	a.floats("numbers", numbers, len(numbers))
	a.floats("loss", []float32{float32(metrics[MetricLoss])})
	for _, m := range moments {
		a.floats(m.name, m.values, len(m.values))
	}
	err = a.call(t.parts.update[b.U > 0], func(out [][]float32) { metrics[MetricNorm] = float64(out[0][0]) })
	return b, metrics, err
}

// eachPart takes all parts of a batch and calls f for each; it returns the last.
func eachPart(next source, f func(r *Ready) error) (*pairs.MicroBatch, error) {
	for {
		r, err := next()
		if err != nil {
			return nil, err
		}
		err = f(r)
		r.Free()
		if p := r.Part; err != nil || p.From+p.Size == p.Batch.Size {
			return p, err
		}
	}
}

// imageFeatures is stage 1 for pictures. The metrics are means over the parts.
func (t *Stepper) imageFeatures(next source) (*pairs.MicroBatch, map[string]float64, error) {
	p, metrics := t.parts, map[string]float64{}
	last, err := eachPart(next, func(r *Ready) error {
		if r.Part.SecondPass {
			return errors.New("the data loader gives a second time what has not been asked for")
		}
		a := t.arguments()
		a.add(r.Inputs...)
		from, size, all := r.Part.From, r.Part.Size, r.Part.Batch.Size
		return a.call(p.images, func(out [][]float32) {
			p.resize(all)
			for i := range p.cut {
				copy(p.features[i][from*len(out[i])/size:], out[i])
			}
			if len(t.metrics) == 0 {
				return
			}
			for name, v := range named(out[len(p.cut)], t.metrics) {
				metrics[name] += v * float64(size) / float64(all)
			}
		})
	})
	return last, metrics, err
}

// resize makes room for the features of a batch of n pictures, and their gradients.
func (p *parts) resize(n int) {
	p.features, p.gradients = slices.Grow(p.features, len(p.cut)+1)[:len(p.cut)+1], slices.Grow(p.gradients, len(p.cut)+1)[:len(p.cut)+1]
	for i, shape := range p.cut {
		p.features[i], p.gradients[i] = sized(p.features[i], n*Elements(shape)), sized(p.gradients[i], n*Elements(shape))
	}
}

// sized is x, or another slice of size n.
func sized(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}

func Elements(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// textParts are all texts of a batch, captions first, in parts of one size: the
// last is filled up with the first text, whose second gradient is 0.
type textParts struct {
	ids                  []int32
	count, context, size int
}

func newTextParts(b *pairs.Batch, size int) *textParts {
	t := &textParts{ids: slices.Concat(b.Captions, b.Prompts), count: b.Size + b.U, context: b.Context, size: size}
	for n := t.count; n%size != 0; n++ {
		t.ids = append(t.ids, b.Captions[:b.Context]...)
	}
	return t
}

// Part adds the token ids of the part that starts with text from.
func (t *textParts) part(a *arguments, from int) {
	a.ids("part's texts", t.ids[from*t.context:(from+t.size)*t.context], t.size, t.context)
}

// textFeatures is stage 1 for texts.
func (t *Stepper) textFeatures(texts *textParts) error {
	p, width := t.parts, t.settings.Model.Text.Width
	at := len(p.cut)
	p.features[at], p.gradients[at] = sized(p.features[at], texts.count*width), sized(p.gradients[at], texts.count*width)
	for from := 0; from < texts.count; from += texts.size {
		a := t.arguments()
		texts.part(a, from)
		if err := a.call(p.texts, func(out [][]float32) { copy(p.features[at][from*width:], out[0]) }); err != nil {
			return err
		}
	}
	return nil
}

// imageGradients is stage 3 for pictures. There is none where their tower is
// frozen.
func (t *Stepper) imageGradients(b *pairs.Batch, next source) error {
	if !t.settings.TrainsImageTower() {
		return nil
	}
	p := t.parts
	_, err := eachPart(next, func(r *Ready) error {
		if !r.Part.SecondPass || r.Part.Batch.Step != b.Step {
			return errors.New("the data loader does not give the batch a second time")
		}
		a := t.arguments()
		a.floats("start", first(r.Part.From))
		a.add(r.Inputs...)
		for i, shape := range p.cut {
			a.floats(fmt.Sprint("part's gradients ", i), rowsOf(p.gradients[i], shape, r.Part.From, r.Part.Size), append([]int{r.Part.Size}, shape...)...)
		}
		return a.call(p.imageGradients, func([][]float32) {})
	})
	return err
}

// rowsOf are some rows of values of a shape each.
func rowsOf(x []float32, shape []int, from, size int) []float32 {
	n := Elements(shape)
	return x[from*n : (from+size)*n]
}

// textGradients is stage 3 for texts.
func (t *Stepper) textGradients(texts *textParts) error {
	p, width := t.parts, t.settings.Model.Text.Width
	if len(p.names["texts"]) == 0 {
		return nil
	}
	part := make([]float32, texts.size*width)
	for from := 0; from < texts.count; from += texts.size {
		clear(part)
		copy(part, p.gradients[len(p.cut)][from*width:texts.count*width])
		a := t.arguments()
		a.floats("start", first(from))
		texts.part(a, from)
		a.floats("part's text gradients", part, texts.size, width)
		if err := a.call(p.textGradients, func([][]float32) {}); err != nil {
			return err
		}
	}
	return nil
}

// first is 1 for the first part: it starts the sums.
func first(from int) []float32 {
	if from == 0 {
		return []float32{1}
	}
	return []float32{0}
}
