package assign

import (
	"math"
	"slices"
)

// Standardise replaces each plane's cosines by (cos − mean)/deviation of its word,
// so that words with high scores everywhere lose their advantage. means and
// deviations are by plane; a deviation of 0 counts as the smallest above it.
func (e *Evidence) Standardise(means, deviations []float64) {
	least := math.Inf(1)
	for _, d := range deviations {
		if d > 0 {
			least = min(least, d)
		}
	}
	if math.IsInf(least, 1) {
		least = 1
	}
	for p, plane := range e.Planes {
		mean, scale := float32(means[p]), float32(1/max(deviations[p], least))
		for i, v := range plane {
			plane[i] = (v - mean) * scale
		}
	}
}

// topShare is the part of the photo that speaks for a word's presence.
const topShare = 0.1

// top is the mean of a plane's largest tenth.
func top(plane []float32, buffer []float32) float64 {
	buffer = append(buffer[:0], plane...)
	k := max(1, int(math.Round(topShare*float64(len(buffer)))))
	selectLargest(buffer, k)
	var sum float64
	for _, v := range buffer[:k] {
		sum += float64(v)
	}
	return sum / float64(k)
}

// selectLargest moves the k largest values to the front, in any order.
func selectLargest(x []float32, k int) {
	for len(x) > 1 && k > 0 && k < len(x) {
		pivot := median3(x[0], x[len(x)/2], x[len(x)-1])
		i, j := 0, len(x)-1
		for i <= j {
			for x[i] > pivot {
				i++
			}
			for x[j] < pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j+1:
			x = x[:j+1]
		case k > i:
			x, k = x[i:], k-i
		default:
			return
		}
	}
}

func median3(a, b, c float32) float32 { return max(min(a, b), min(max(a, b), c)) }

// Tops returns, by plane, the mean of its largest tenth: how much the photo as a
// whole speaks for the word.
func (e *Evidence) Tops() []float64 {
	out, buffer := make([]float64, len(e.Planes)), []float32(nil)
	for p, plane := range e.Planes {
		buffer = slices.Grow(buffer[:0], len(plane))
		out[p] = top(plane, buffer)
	}
	return out
}

// Context adds to every place of a plane weight times the mean of its largest tenth:
// a word that is found somewhere in the photo is believed sooner elsewhere in it.
func (e *Evidence) Context(weight float64) {
	for p, t := range e.Tops() {
		add := float32(weight * t)
		for i := range e.Planes[p] {
			e.Planes[p][i] += add
		}
	}
}

// Keep drops labels by a rule over the whole photo: kept says which stay. A label
// that is dropped wins no pixel but goes on competing, as a hidden word does.
func (e *Evidence) Keep(kept []bool) {
	if e.Kept == nil {
		e.Kept = newPlanes(e.Labels, e.Width*e.Height)
		for _, plane := range e.Kept {
			for i := range plane {
				plane[i] = 1
			}
		}
	}
	for label, k := range kept {
		if !k {
			clear(e.Kept[label])
		}
	}
}

// Absolute drops a label wherever its score is below least.
func (e *Evidence) Absolute(least float64) {
	e.Keep(nil) // makes the planes
	for label, kept := range e.Kept {
		for i, v := range e.Planes[label] {
			if float64(v) < least {
				kept[i] = 0
			}
		}
	}
}
