package train

import (
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/pairs"
)

// stepInParts is a step whose towers see settings.MicroBatch pictures, and as
// many texts, at a time; see parts.
func (t *Stepper) stepInParts(b *pairs.Batch, step int, numbers []float32) (map[string]float64, error) {
	texts := newTextParts(b, t.settings.MicroBatch)
	metrics, err := t.imageFeatures(b, step)
	if err == nil {
		err = t.textFeatures(texts)
	}
	if err == nil {
		err = t.losses(b, texts, metrics)
	}
	if err == nil {
		err = t.imageGradients(b, step)
	}
	if err == nil {
		err = t.textGradients(texts)
	}
	if err != nil {
		return nil, err
	}
	a := t.arguments()
	a.floats("numbers", numbers, len(numbers))
	a.floats("loss", []float32{float32(metrics[metricLoss])})
	err = a.call(t.parts.update[b.U > 0], func(out [][]float32) { metrics[metricNorm] = float64(out[0][0]) })
	return metrics, err
}

// eachPart calls f for the parts of a batch: pictures from … from+size.
func (t *Stepper) eachPart(b *pairs.Batch, f func(from, size int) error) error {
	for from := 0; from < b.Size; from += t.settings.MicroBatch {
		if err := f(from, min(t.settings.MicroBatch, b.Size-from)); err != nil {
			return err
		}
	}
	return nil
}

// pictures adds a part's pixels and random numbers.
func (t *Stepper) pictures(a *arguments, b *pairs.Batch, step, from, size int) {
	n, count := 3*b.ImageSize*b.ImageSize, max(t.random, 1)
	random := make([]float32, size*count)
	if t.random > 0 {
		fillRandom(random, t.random, t.settings.Seed, step, from)
	}
	a.floats("part's pixels", b.Pixels[from*n:(from+size)*n], size, 3, b.ImageSize, b.ImageSize)
	a.floats("part's random", random, size, count)
}

// imageFeatures is stage 1 for pictures. The metrics are means over the parts.
func (t *Stepper) imageFeatures(b *pairs.Batch, step int) (map[string]float64, error) {
	p, metrics := t.parts, map[string]float64{}
	err := t.eachPart(b, func(from, size int) error {
		a := t.arguments()
		t.pictures(a, b, step, from, size)
		return a.call(p.images, func(out [][]float32) {
			p.resize(b.Size)
			for i := range p.cut {
				copy(p.features[i][from*len(out[i])/size:], out[i])
			}
			if len(t.metrics) == 0 {
				return
			}
			for name, v := range named(out[len(p.cut)], t.metrics) {
				metrics[name] += v * float64(size) / float64(b.Size)
			}
		})
	})
	return metrics, err
}

// resize makes room for the features of a batch of n pictures.
func (p *parts) resize(n int) {
	p.features, p.gradients = slices.Grow(p.features, len(p.cut)+1)[:len(p.cut)+1], slices.Grow(p.gradients, len(p.cut)+1)[:len(p.cut)+1]
	for i, shape := range p.cut {
		if size := n * product(shape); len(p.features[i]) != size {
			p.features[i] = make([]float32, size)
		}
	}
}

func product(dims []int) int {
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

// part adds the token ids of the part that starts with text from.
func (t *textParts) part(a *arguments, from int) {
	a.ids("part's texts", t.ids[from*t.context:(from+t.size)*t.context], t.size, t.context)
}

// textFeatures is stage 1 for texts.
func (t *Stepper) textFeatures(texts *textParts) error {
	p, all := t.parts, []float32(nil)
	for from := 0; from < texts.count; from += texts.size {
		a := t.arguments()
		texts.part(a, from)
		if err := a.call(p.texts, func(out [][]float32) { all = append(all, out[0]...) }); err != nil {
			return err
		}
	}
	p.features[len(p.cut)] = all[:texts.count*t.settings.Model.Text.Width]
	return nil
}

// losses is stage 2; it adds the losses to the metrics.
func (t *Stepper) losses(b *pairs.Batch, texts *textParts, metrics map[string]float64) error {
	p, a := t.parts, t.arguments()
	for i, shape := range p.cut {
		a.floats(fmt.Sprint("features ", i), p.features[i], append([]int{b.Size}, shape...)...)
	}
	a.floats("text features", p.features[len(p.cut)], texts.count, t.settings.Model.Text.Width)
	t.addTargets(a, b)
	return a.call(p.losses, func(out [][]float32) {
		for name, v := range named(out[0], lossMetricNames, p.headMetrics) {
			metrics[name] = v
		}
		copy(p.gradients, out[1:])
	})
}

// imageGradients is stage 3 for pictures. There is none where their tower is
// frozen.
func (t *Stepper) imageGradients(b *pairs.Batch, step int) error {
	p := t.parts
	if len(p.imageNames) == 0 {
		return nil
	}
	return t.eachPart(b, func(from, size int) error {
		a := t.arguments()
		a.floats("start", first(from))
		t.pictures(a, b, step, from, size)
		for i, shape := range p.cut {
			n := product(shape)
			a.floats(fmt.Sprint("part's gradients ", i), p.gradients[i][from*n:(from+size)*n], append([]int{size}, shape...)...)
		}
		return a.call(p.imageGradients, func([][]float32) {})
	})
}

// textGradients is stage 3 for texts.
func (t *Stepper) textGradients(texts *textParts) error {
	p, width := t.parts, t.settings.Model.Text.Width
	if len(p.textNames) == 0 {
		return nil
	}
	part := make([]float32, texts.size*width)
	for from := 0; from < texts.count; from += texts.size {
		clear(part)
		copy(part, p.gradients[len(p.cut)][from*width:])
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
