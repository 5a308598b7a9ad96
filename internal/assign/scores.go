package assign

import "fmt"

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
	// Silent background planes, which must follow the labels', win no pixel; they
	// only lower the labels' probability.
	Silent bool
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
func (s *Scores) average(v *View, planes [][]float32) {
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
	for _, p := range planes {
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

// AsPlanes are the labels' scores as planes to decide from, without background.
func (s *Scores) AsPlanes() *Planes {
	p := &Planes{Width: s.Width, Height: s.Height}
	p.Labels = make([][]float32, s.Labels)
	for k, owner := range s.Owner {
		switch {
		case owner == 0:
		case p.Labels[owner-1] == nil:
			p.Labels[owner-1] = s.Planes[k]
		default: // of several names, the best
			both := make([]float32, len(s.Planes[k]))
			for i, v := range s.Planes[k] {
				both[i] = max(v, p.Labels[owner-1][i])
			}
			p.Labels[owner-1] = both
		}
	}
	return p
}
