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
		bar := math.Inf(-1)
		if background {
			bar = min(threshold, slices.Max(r))
		}
		below := make([]bool, len(r)/classes) // groups that are background
		for g := range below {
			below[g] = slices.Max(r[g*classes:(g+1)*classes]) < bar
		}
		for p, g := range hardest(w.Assign, w) {
			at := (w.Y+p/w.Width)*s.Width + w.X + p%w.Width
			for c := range classes {
				s.label(c)[at] += float32(r[int(g)*classes+c])
			}
			if below[g] {
				s.Planes[0][at]++
			}
		}
	}
	s.average(v)
	return s, nil
}

// hardest returns the group of every pixel of a window by a soft assignment
// [N, G]: the largest of the bilinearly upsampled maps, the first on ties.
func hardest(assign []float32, w *Window) []uint16 {
	n := w.GridH * w.GridW
	groups := len(assign) / n
	maps := transpose(assign, n, groups)
	labels := make([]uint16, w.Width*w.Height)
	best := make([]float32, len(labels))
	r := newResizer(w.GridH, w.GridW, w.Height, w.Width)
	for g := range groups {
		r.plane(maps[g*n:(g+1)*n], func(y int, row []float32) {
			at := y * w.Width
			for x, v := range row {
				if g == 0 || v > best[at+x] {
					best[at+x], labels[at+x] = v, uint16(g)
				}
			}
		})
	}
	return labels
}
