package assign

import (
	"context"
	"math"
)

// Affinity lets the tokens of a window speak for those that look alike to the
// network: a token's scores become the mean of all tokens', weighted by a softmax of
// Sharpness times the cosine of their vectors.
type Affinity struct {
	// Sharpness of the softmax; 0 is no propagation.
	Sharpness float64
	// Weight of the mean against the token's own score, 0 to 1.
	Weight float64
}

// vectors are what makes tokens alike: patches, or where there are none the rows of
// the assignment. They are unit vectors of the width returned.
func (w *Window) vectors() ([]float32, int) {
	n := w.GridH * w.GridW
	if w.Patches != nil {
		return w.Patches, len(w.Patches) / n
	}
	rows := append([]float32(nil), w.Assign...)
	Normalize(rows, len(rows)/n)
	return rows, len(rows) / n
}

// propagate changes maps [planes] on a window's grid.
func (o Affinity) propagate(ctx context.Context, w *Window, maps []grid) error {
	n := w.GridH * w.GridW
	x, width := w.vectors()
	out := newPlanes(len(maps), n)
	err := sideBySide(ctx, n, func(i int) {
		weights := o.weights(x, width, i, n)
		for p, m := range maps {
			var sum float64
			for j, a := range weights {
				sum += a * float64(m.values[j])
			}
			out[p][i] = float32((1-o.Weight)*float64(m.values[i]) + o.Weight*sum)
		}
	}, func() {})
	for p := range maps {
		maps[p].values = out[p]
	}
	return err
}

// weights are token i's to all n tokens; they sum to 1.
func (o Affinity) weights(x []float32, width, i, n int) []float64 {
	weights := products(x[i*width:(i+1)*width], x[:n*width], width)
	var sum float64
	for j, cos := range weights {
		weights[j] = math.Exp(o.Sharpness * (cos - 1))
		sum += weights[j]
	}
	for j := range weights {
		weights[j] /= sum
	}
	return weights
}
