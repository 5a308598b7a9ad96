package assign

import (
	"context"
	"fmt"
	"math"

	"github.com/groupvit/groupvit/mask"
)

// Scores are class scores at the size the photo was looked at, one plane a
// class, averaged over the windows.
type Scores struct {
	Width, Height int
	// Planes are [Height·Width] each. Owner says whose it is: 0 background, i
	// the i-th label.
	Planes [][]float32
	Owner  []uint16
	// Labels is the number of labels.
	Labels int
	// Sharpness, if positive, is τ of the probability that a threshold is
	// compared with; see [Scores.Decide].
	Sharpness float64
}

// newScores makes planes of zeros for the labels, with one for background before
// them if wanted.
func newScores(v *View, labels int, background bool) *Scores {
	s := &Scores{Width: v.SeenWidth, Height: v.SeenHeight, Labels: labels}
	if background {
		s.add(0)
	}
	for i := range labels {
		s.add(uint16(i + 1))
	}
	return s
}

func (s *Scores) add(owner uint16) {
	s.Planes, s.Owner = append(s.Planes, make([]float32, s.Width*s.Height)), append(s.Owner, owner)
}

// label returns the plane of the label numbered c from 0.
func (s *Scores) label(c int) []float32 {
	return s.Planes[c+len(s.Planes)-s.Labels]
}

// average divides every pixel's sum by the number of windows over it.
func (s *Scores) average(v *View) {
	if len(v.Windows) == 1 {
		return
	}
	visits := make([]float32, s.Width*s.Height)
	for _, w := range v.Windows {
		for y := w.Y; y < w.Y+w.Height; y++ {
			row := visits[y*s.Width+w.X:]
			for x := range w.Width {
				row[x]++
			}
		}
	}
	for _, p := range s.Planes {
		for i := range p {
			p[i] /= visits[i]
		}
	}
}

// spread adds a grid map, upsampled bilinearly to the window, to a plane.
func (s *Scores) spread(plane []float32, w *Window, r *resizer, grid []float32) {
	r.plane(grid, func(y int, row []float32) {
		to := plane[(w.Y+y)*s.Width+w.X:]
		for x, v := range row {
			to[x] += v
		}
	})
}

// Result is a decision for every pixel of the photo.
type Result struct {
	// Map holds the labels at the photo's own size.
	Map *mask.Map
	// Mean is, by label from 0, the mean score of the pixels that have it.
	Mean []float64
	// Scores [labels, height, width] is nil unless asked for.
	Scores []float32
}

// Decide resizes the scores bilinearly to width × height and gives every pixel
// the label with the best score, the first on ties; background competes where
// it has planes.
//
// With Sharpness τ and a threshold above 0, a pixel whose best label has a
// probability exp(τ·best)/Σ exp(τ·score), over the planes and those of others,
// below the threshold becomes background. keep asks for all labels' scores.
func (s *Scores) Decide(ctx context.Context, width, height int, threshold float64, keep bool) (*Result, error) {
	m, err := mask.New(width, height)
	if err != nil {
		return nil, err
	}
	n := width * height
	res := &Result{Map: m, Mean: make([]float64, s.Labels)}
	if keep {
		res.Scores = make([]float32, s.Labels*n)
	}
	best := make([]float32, n)
	var sum []float64
	if s.Sharpness > 0 && threshold > 0 {
		sum = make([]float64, n)
	}
	r := newResizer(s.Height, s.Width, height, width)
	for i, plane := range s.Planes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		owner := s.Owner[i]
		var store []float32
		if keep && owner > 0 {
			store = res.Scores[(int(owner)-1)*n : int(owner)*n]
		}
		r.plane(plane, func(y int, row []float32) {
			at := y * width
			if store != nil {
				copy(store[at:], row)
			}
			for x, v := range row {
				if i == 0 || v > best[at+x] {
					best[at+x], m.Labels[at+x] = v, owner
				}
			}
			if sum != nil {
				for x, v := range row {
					sum[at+x] += math.Exp(s.Sharpness * float64(v-1))
				}
			}
		})
	}
	counts := make([]int, s.Labels)
	for i, l := range m.Labels {
		if l == 0 {
			continue
		}
		if sum != nil && math.Exp(s.Sharpness*float64(best[i]-1))/sum[i] < threshold {
			m.Labels[i] = 0
			continue
		}
		counts[l-1]++
		res.Mean[l-1] += float64(best[i])
	}
	for l, c := range counts {
		res.Mean[l] /= float64(max(c, 1))
	}
	return res, nil
}

// check says whether a view has what a protocol needs.
func (v *View) check(groups, patches bool) error {
	for i := range v.Windows {
		w := &v.Windows[i]
		if groups && (w.Assign == nil || w.Groups == nil) {
			return fmt.Errorf("the model has no groups")
		}
		if patches && w.Patches == nil {
			return fmt.Errorf("the model has no patch embeddings")
		}
	}
	return nil
}
