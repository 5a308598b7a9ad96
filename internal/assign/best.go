package assign

import "context"

// Source says from where a map of words is read.
type Source int

// The sources of a map.
const (
	FromGroups Source = iota
	FromPatches
	FromBoth
)

// Words are the vectors of the labels and of hidden words for background.
type Words struct {
	// Vectors [rows, P] are unit vectors; a label has one row a synonym.
	Vectors []float32
	// Owner is, by row, 0 for a background word and i for the i-th label.
	Owner []uint16
	// Labels is the number of labels.
	Labels int
	// Width is P.
	Width int
}

// Port scores a view as the Hugging Face port's segmentation logits:
// scale² · Σ_g cos(z_g, t_c)·a[g,n], upsampled bilinearly; no background. scale
// is exp(logit_scale), not clamped.
func Port(ctx context.Context, v *View, text []float32, width int, scale float64) (*Scores, error) {
	if err := v.check(true, false); err != nil {
		return nil, err
	}
	classes := len(text) / width
	s := newScores(v, classes, false)
	for i := range v.Windows {
		w := &v.Windows[i]
		r := newResizer(w.GridH, w.GridW, w.Height, w.Width)
		maps := groupMaps(w, text, width)
		for c, grid := range maps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for n := range grid {
				grid[n] = float32(float64(grid[n]) * scale * scale)
			}
			s.spread(s.label(c), w, r, grid)
		}
	}
	s.average(v, s.Planes)
	return s, nil
}

// cosineMaps returns one grid map a row of words.
func cosineMaps(w *Window, words Words, from Source) [][]float32 {
	switch from {
	case FromPatches:
		return patchMaps(w, words.Vectors, words.Width)
	case FromGroups:
		return groupMaps(w, words.Vectors, words.Width)
	}
	maps := patchMaps(w, words.Vectors, words.Width)
	for row, grid := range groupMaps(w, words.Vectors, words.Width) {
		for n, v := range grid {
			maps[row][n] = (maps[row][n] + v) / 2
		}
	}
	return maps
}

// patchMaps returns, for each row of text, cos(z_n, t) by token.
func patchMaps(w *Window, text []float32, width int) [][]float32 {
	n, rows := w.GridH*w.GridW, len(text)/width
	cos := products(text, w.Patches, width)
	maps := make([][]float32, rows)
	for r := range maps {
		maps[r] = make([]float32, n)
		for i := range n {
			maps[r][i] = float32(cos[r*n+i])
		}
	}
	return maps
}

// groupMaps returns, for each row of text, Σ_g a[g,n]·cos(z_g, t) by token.
func groupMaps(w *Window, text []float32, width int) [][]float32 {
	n, rows := w.GridH*w.GridW, len(text)/width
	groups := len(w.Groups) / width
	cos := products(text, w.Groups, width)
	maps := make([][]float32, rows)
	for r := range maps {
		maps[r] = make([]float32, n)
		for i := range n {
			var sum float64
			for g := range groups {
				sum += float64(w.Assign[i*groups+g]) * cos[r*groups+g]
			}
			maps[r][i] = float32(sum)
		}
	}
	return maps
}
