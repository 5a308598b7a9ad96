package assign

import (
	"context"
	"math"
	"slices"
)

// kept is the number of classes a window may show: those nearest to its image
// vector.
const kept = 5

// GroupScores returns R [G, C], how well each group fits each class by the
// paper's evaluation code: softmax over the classes kept (the five nearest to
// the window's image vector) times softmax over all classes, both of
// sigma·cosine. groups [G, P], image [P] and text [C, P] hold unit vectors.
func GroupScores(groups, image, text []float32, width int, sigma float64) []float64 {
	classes := len(text) / width
	whole := products(image, text, width)
	for i := range whole {
		whole[i] *= sigma
	}
	softmax(whole)
	order := make([]int, classes)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case whole[a] > whole[b]:
			return -1
		case whole[a] < whole[b]:
			return 1
		}
		return 0
	})
	out := make([]bool, classes)
	for _, c := range order[min(kept, classes):] {
		out[c] = true
	}
	r := products(groups, text, width)
	for g := 0; g < len(r); g += classes {
		row := r[g : g+classes]
		for c := range row {
			row[c] *= sigma
		}
		all := slices.Clone(row)
		softmax(all)
		for c := range row {
			if out[c] {
				row[c] = math.Inf(-1)
			}
		}
		softmax(row)
		for c := range row {
			row[c] *= all[c]
		}
	}
	return r
}

// Paper scores a view as the paper's evaluation code does: in each window every
// pixel takes the scores of the group it belongs to most, the map being
// upsampled softly; windows are averaged. text [C, P] holds unit vectors, sigma
// is min(exp(logit_scale), 100).
//
// A threshold makes pixels background whose best class scores below
// min(threshold, best score of any group in the window); NaN switches
// background off.
func Paper(ctx context.Context, v *View, text []float32, width int, sigma, threshold float64) (*Scores, error) {
	if err := v.check(true, false); err != nil {
		return nil, err
	}
	classes := len(text) / width
	background := !math.IsNaN(threshold)
	s := newScores(v, classes, background)
	for i := range v.Windows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &v.Windows[i]
		r := GroupScores(w.Groups, w.Image, text, width, sigma)
		groups := v.hardest()[i]
		s.addClasses(w, groups, r)
		if background {
			s.addBackground(s.Planes[0], w, groups, below(r, classes, threshold))
		}
	}
	s.average(v, s.Planes)
	return s, nil
}

// addClasses gives every pixel of a window the class scores R [G, C] of its
// group.
func (s *Scores) addClasses(w *Window, groups []uint16, r []float64) {
	column := make([]float32, len(r)/s.Labels) // of one class, by group
	for c := range s.Labels {
		for g := range column {
			column[g] = float32(r[g*s.Labels+c])
		}
		plane := s.label(c)
		for y := range w.Height {
			to := plane[(w.Y+y)*s.Width+w.X:][:w.Width]
			for x, g := range groups[y*w.Width:][:w.Width] {
				to[x] += column[g]
			}
		}
	}
}

// addBackground adds 1 to a plane where a window's pixel belongs to a group that
// is background.
func (s *Scores) addBackground(plane []float32, w *Window, groups []uint16, background []bool) {
	for p, g := range groups {
		if background[g] {
			plane[(w.Y+p/w.Width)*s.Width+w.X+p%w.Width]++
		}
	}
}

// below says which groups are background at a threshold: those whose best class
// scores below it and below the best of all groups.
func below(r []float64, classes int, threshold float64) []bool {
	bar := min(threshold, slices.Max(r))
	out := make([]bool, len(r)/classes)
	for g := range out {
		out[g] = slices.Max(r[g*classes:(g+1)*classes]) < bar
	}
	return out
}
