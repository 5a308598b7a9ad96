package assign

// Winners is, by place of the canvas, the plane with the highest score, counted from
// 1, the first on ties: labels are 1 to Labels, background words come after them.
func (e *Evidence) Winners() []uint16 {
	out := make([]uint16, e.Width*e.Height)
	for i := range out {
		best := 0
		for p := range e.Planes {
			if e.Planes[p][i] > e.Planes[best][i] {
				best = p
			}
		}
		out[i] = uint16(best + 1)
	}
	return out
}

// Rivals is, by place of the canvas, the plane with the highest score but the one
// given (counted from 1); 0 where there is no other.
func (e *Evidence) Rivals(plane int) []uint16 {
	out := make([]uint16, e.Width*e.Height)
	for i := range out {
		best := -1
		for p := range e.Planes {
			if p != plane-1 && (best < 0 || e.Planes[p][i] > e.Planes[best][i]) {
				best = p
			}
		}
		out[i] = uint16(best + 1)
	}
	return out
}

// StageScores returns, for each group of a grouping stage (from 0) of a view with one
// window, its cosine with each label (the largest of its names') and, after them,
// with each background word. A group of an early stage scores as the last stage's groups
// do that it belongs to.
func StageScores(v *View, stage int, words Words) ([][]float32, error) {
	if err := v.check(true, false); err != nil {
		return nil, err
	}
	w := &v.Windows[0]
	planes, of := words.planes()
	scores := regionScores(w, w.Stages[stage], words, of)
	groups := len(scores) / planes
	out := make([][]float32, groups)
	for g := range out {
		out[g] = make([]float32, planes)
		for p := range planes {
			out[g][p] = scores[p*groups+g]
		}
	}
	return out, nil
}
