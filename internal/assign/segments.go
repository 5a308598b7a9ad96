package assign

// Segments says how the pixels of a window follow its groups.
type Segments int

// The kinds of segments.
const (
	// SoftSegments mix the scores of all groups by the soft assignment.
	SoftSegments Segments = iota
	// HardSegments give a pixel the scores of the group it belongs to most: at most
	// as many regions as groups.
	HardSegments
	// FirstSegments give a pixel the scores of the first stage's group it belongs to
	// most, which are those of the last stage's groups, mixed by how the first
	// stage's group belongs to them: up to 64 regions in the paper's network.
	FirstSegments
)

// regions are the hard segments of a window.
type regions struct {
	width, height int
	// where [height·width] is the region of each cell.
	where []uint16
	// scores [planes][count] are the regions' cosines.
	scores []float32
	count  int
}

// findRegions cuts a window into its groups' regions. Their borders are where the
// paper finds them, between upsampled soft maps, on a grid 4 times as fine as the
// tokens'.
func findRegions(w *Window, words Words, of []int, kind Segments) *regions {
	const fine = 4
	soft := w.Assign
	if kind == FirstSegments && len(w.Stages) > 0 {
		soft = w.Stages[0]
	}
	r := &regions{width: fine * w.GridW, height: fine * w.GridH, count: len(soft) / (w.GridH * w.GridW)}
	r.scores = regionScores(w, soft, words, of)
	r.where = hardest(soft, &Window{Rect: Rect{Width: r.width, Height: r.height}, GridH: w.GridH, GridW: w.GridW})
	return r
}

// maps returns a map for each plane.
func (r *regions) maps() []grid {
	maps := make([]grid, len(r.scores)/r.count)
	for p := range maps {
		values := make([]float32, len(r.where))
		column := r.scores[p*r.count:][:r.count]
		for i, region := range r.where {
			values[i] = column[region]
		}
		maps[p] = grid{r.width, r.height, values}
	}
	return maps
}

// regionScores returns, for each plane and region of a soft assignment [N, R], the
// cosine of the region with the plane's words: that of the tokens' mix of groups,
// averaged over the region.
func regionScores(w *Window, soft []float32, words Words, of []int) []float32 {
	n := w.GridH * w.GridW
	regions, groups := len(soft)/n, len(w.Groups)/words.Width
	mix, mass := make([]float64, regions*groups), make([]float64, regions)
	for i := range n {
		for r := range regions {
			a := float64(soft[i*regions+r])
			mass[r] += a
			for g := range groups {
				mix[r*groups+g] += a * float64(w.Assign[i*groups+g])
			}
		}
	}
	if len(soft) == len(w.Assign) && &soft[0] == &w.Assign[0] { // a region is a group
		for r := range regions {
			for g := range groups {
				mix[r*groups+g] = 0
			}
			mix[r*groups+r], mass[r] = 1, 1
		}
	}
	cos := products(words.Vectors, w.Groups, words.Width)
	planes := 0
	for _, p := range of {
		planes = max(planes, p+1)
	}
	out, seen := make([]float32, planes*regions), make([]bool, planes)
	for row, p := range of {
		for r := range regions {
			var s float64
			for g := range groups {
				s += mix[r*groups+g] * cos[row*groups+g]
			}
			s /= max(mass[r], 1e-12)
			if to := &out[p*regions+r]; !seen[p] || float32(s) > *to {
				*to = float32(s)
			}
		}
		seen[p] = true
	}
	return out
}
