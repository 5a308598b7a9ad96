package assign

// Source says from where a map of words is read.
type Source int

// The sources of a map.
const (
	FromGroups Source = iota
	FromPatches
	FromBoth
)

// Words are the vectors of the labels and of the background vocabulary.
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
