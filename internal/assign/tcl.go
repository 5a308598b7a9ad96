package assign

import (
	"context"
	"math"

	"github.com/groupvit/groupvit/mask"
)

// MaskScale and MaskOffset turn a cosine into a mask's score under the rules of
// TCL: sigmoid(MaskScale·cos + MaskOffset), one half at a cosine of 0.25. TCL
// learns both and starts from these; other networks have none of their own, and
// take the start.
const (
	MaskScale  = 10
	MaskOffset = -2.5
)

// TCL scores a view by the rules of TCL's unified evaluation (Cha et al., CVPR
// 2023): the score of a label in a cell of the grid is the sigmoid of its scaled
// cosine, upsampled bilinearly to the window and averaged over windows. text
// [C, P] holds unit vectors.
//
// Background is left to [Scores.WithConstant].
func TCL(ctx context.Context, v *View, text []float32, width int, from Source) (*Scores, error) {
	if err := v.check(from != FromPatches, from != FromGroups); err != nil {
		return nil, err
	}
	s := newScores(v, len(text)/width, false)
	words := Words{Vectors: text, Width: width}
	for i := range v.Windows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &v.Windows[i]
		r := newResizer(w.GridH, w.GridW, w.Height, w.Width)
		for c, grid := range cosineMaps(w, words, from) {
			for n, cos := range grid {
				grid[n] = float32(1 / (1 + math.Exp(-(MaskScale*float64(cos) + MaskOffset))))
			}
			s.spread(s.label(c), w, r, grid)
		}
	}
	s.average(v, s.Planes)
	return s, nil
}

// WithConstant are the scores with a plane of background before the others, which has
// the same score everywhere and wins ties.
func (s *Scores) WithConstant(score float32) *Scores {
	plane := make([]float32, s.Width*s.Height)
	for i := range plane {
		plane[i] = score
	}
	with := *s
	with.Planes = append([][]float32{plane}, s.Planes...)
	with.Owner = append([]uint16{0}, s.Owner...)
	return &with
}

// ConstantSweep decides for several constant scores of background at once;
// there must be no plane of background among the scores.
func (s *Scores) ConstantSweep(ctx context.Context, width, height int, constants []float64) ([]*mask.Map, error) {
	f, err := s.survey(ctx, width, height, false, false)
	if err != nil {
		return nil, err
	}
	maps := make([]*mask.Map, len(constants))
	for t, c := range constants {
		m := &mask.Map{Width: width, Height: height, Labels: make([]uint16, width*height)}
		for i, l := range f.labels.Labels {
			if f.best[i] > float32(c) {
				m.Labels[i] = l
			}
		}
		maps[t] = m
	}
	return maps, nil
}
