package assign

import (
	"fmt"
	"math"
)

// Statistics are the first two moments of the vectors of places (of patches, or of
// groups as their places see them) over a set of photos. They give any word, known
// or not, the mean and the deviation of its cosine over those photos: μ·t and
// √(tᵀΣt).
type Statistics struct {
	// Width is P.
	Width int
	// Mean [P] and Covariance [P, P].
	Mean, Covariance []float32
}

// Check says whether the sizes fit and all values are finite.
func (s *Statistics) Check() error {
	if s.Width < 1 || len(s.Mean) != s.Width || len(s.Covariance) != s.Width*s.Width {
		return fmt.Errorf("statistics of width %d with %d means and %d covariances", s.Width, len(s.Mean), len(s.Covariance))
	}
	for _, list := range [][]float32{s.Mean, s.Covariance} {
		for _, v := range list {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("statistics hold %g", v)
			}
		}
	}
	return nil
}

// Of returns the mean and the deviation of the cosine of a unit vector.
func (s *Statistics) Of(word []float32) (mean, deviation float64) {
	for i, w := range word {
		mean += float64(w) * float64(s.Mean[i])
		var row float64
		for j, x := range word {
			row += float64(s.Covariance[i*s.Width+j]) * float64(x)
		}
		deviation += float64(w) * row
	}
	return mean, math.Sqrt(max(deviation, 0))
}

// Moments collects [Statistics]. The zero value is empty.
type Moments struct {
	width   int
	count   float64
	sum     []float64
	product []float64 // upper triangle, row by row
}

// Add adds the places of a view.
func (m *Moments) Add(v *View, from Source, width int) error {
	if err := v.check(from != FromPatches, from != FromGroups); err != nil {
		return err
	}
	if m.width == 0 {
		m.width, m.sum, m.product = width, make([]float64, width), make([]float64, width*width)
	}
	place := make([]float32, width)
	for i := range v.Windows {
		w := &v.Windows[i]
		for n := range w.GridH * w.GridW {
			w.place(place, n, from)
			m.count++
			for a, x := range place {
				m.sum[a] += float64(x)
				row := m.product[a*width:]
				for b := a; b < width; b++ {
					row[b] += float64(x) * float64(place[b])
				}
			}
		}
	}
	return nil
}

// place writes to out the vector whose product with a word is the word's score at
// token n: the patch, the groups mixed by the assignment, or the mean of both.
func (w *Window) place(out []float32, n int, from Source) {
	width := len(out)
	if from == FromPatches {
		copy(out, w.Patches[n*width:][:width])
		return
	}
	clear(out)
	groups := len(w.Groups) / width
	for g := range groups {
		a := w.Assign[n*groups+g]
		for k, z := range w.Groups[g*width:][:width] {
			out[k] += a * z
		}
	}
	if from == FromBoth {
		for k, z := range w.Patches[n*width:][:width] {
			out[k] = (out[k] + z) / 2
		}
	}
}

// Statistics returns what was collected; nil if that is nothing.
func (m *Moments) Statistics() *Statistics {
	if m.count == 0 {
		return nil
	}
	s := &Statistics{Width: m.width, Mean: make([]float32, m.width), Covariance: make([]float32, m.width*m.width)}
	for a := range m.width {
		s.Mean[a] = float32(m.sum[a] / m.count)
		for b := a; b < m.width; b++ {
			c := float32(m.product[a*m.width+b]/m.count - m.sum[a]/m.count*m.sum[b]/m.count)
			s.Covariance[a*m.width+b], s.Covariance[b*m.width+a] = c, c
		}
	}
	return s
}
