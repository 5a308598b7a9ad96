package assign

import "math"

// Planes are what every pixel is decided from: on a canvas over the whole photo, the
// probability of each label and, where background words may take pixels, that of the
// best of them.
type Planes struct {
	// Width and Height are the canvas's.
	Width, Height int
	// Labels [labels][Height·Width] are probabilities.
	Labels [][]float32
	// Background [Height·Width] is what a label must exceed, beside any threshold;
	// nil for nothing.
	Background []float32
}

// Probabilities turns scores into probabilities: a softmax of sharpness·score over
// labels and background words at each place. With takes, the best background word competes
// for the place; otherwise background words only lower the labels' probabilities.
func (e *Evidence) Probabilities(sharpness float64, takes bool) *Planes {
	n := e.Width * e.Height
	p := &Planes{Width: e.Width, Height: e.Height, Labels: newPlanes(e.Labels, n)}
	hidden := e.Planes[e.Labels:]
	if takes && len(hidden) > 0 {
		p.Background = make([]float32, n)
	}
	terms := make([]float64, len(e.Planes))
	for i := range n {
		largest := math.Inf(-1)
		for k, plane := range e.Planes {
			terms[k] = sharpness * float64(plane[i])
			largest = max(largest, terms[k])
		}
		var sum float64
		for k := range terms {
			terms[k] = exp(terms[k] - largest)
			sum += terms[k]
		}
		for k := range e.Labels {
			p.Labels[k][i] = float32(terms[k] / sum)
		}
		if p.Background != nil {
			var best float64
			for _, t := range terms[e.Labels:] {
				best = max(best, t)
			}
			p.Background[i] = float32(best / sum)
		}
	}
	return p
}

// Against turns scores into probabilities that no other label changes: at each place a
// softmax of sharpness·score over the label and the background vocabulary alone. own
// says, by label and word of the background vocabulary, which words mean the label and
// do not compete with it.
func (e *Evidence) Against(sharpness float64, own [][]bool) *Planes {
	n := e.Width * e.Height
	p := &Planes{Width: e.Width, Height: e.Height, Labels: newPlanes(e.Labels, n)}
	background := e.Planes[e.Labels:]
	terms := make([]float64, len(background))
	for i := range n {
		for b, plane := range background {
			terms[b] = exp(sharpness * float64(plane[i]))
		}
		for k := range e.Labels {
			label := exp(sharpness * float64(e.Planes[k][i]))
			sum := label
			for b, t := range terms {
				if !own[k][b] {
					sum += t
				}
			}
			p.Labels[k][i] = float32(label / sum)
		}
	}
	return p
}

// all are the planes of labels and, last, of background.
func (p *Planes) all() [][]float32 {
	if p.Background == nil {
		return p.Labels
	}
	return append(p.Labels[:len(p.Labels):len(p.Labels)], p.Background)
}

// set replaces the planes by others in the order of all.
func (p *Planes) set(planes [][]float32) {
	labels := len(p.Labels)
	p.Labels = planes[:labels:labels]
	if p.Background != nil {
		p.Background = planes[labels]
	}
}

// Resize puts the planes on another canvas, bilinearly.
func (p *Planes) Resize(width, height int) {
	if width == p.Width && height == p.Height {
		return
	}
	planes := p.all()
	out := make([][]float32, len(planes))
	r := newResizer(p.Height, p.Width, height, width)
	for k, plane := range planes {
		out[k] = make([]float32, width*height)
		r.plane(plane, func(y int, row []float32) { copy(out[k][y*width:], row) })
	}
	p.set(out)
	p.Width, p.Height = width, height
}

// Tops returns, by label, the mean of its largest tenth.
func (p *Planes) Tops() []float64 {
	out := make([]float64, len(p.Labels))
	for k, plane := range p.Labels {
		out[k] = top(plane, nil)
	}
	return out
}

// Cut makes a place nothing for a label that is less probable there than share times
// the mean of the label's largest tenth: what is faint beside itself is not the thing.
func (p *Planes) Cut(share float64) {
	for k, t := range p.Tops() {
		bar := float32(share * t)
		for i, v := range p.Labels[k] {
			if v < bar {
				p.Labels[k][i] = 0
			}
		}
	}
}
