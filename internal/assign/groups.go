package assign

import (
	"context"

	"github.com/groupvit/groupvit/mask"
)

// GroupMap returns, at the photo's own size, which group of a grouping stage
// (from 0) each pixel belongs to most, counted from 1. The view must have one
// window, since groups of different windows have nothing in common.
func GroupMap(ctx context.Context, v *View, stage int) (*mask.Map, error) {
	if err := v.check(true, false); err != nil {
		return nil, err
	}
	w := &v.Windows[0]
	soft, n := w.Stages[stage], w.GridH*w.GridW
	s := &Scores{Width: w.GridW, Height: w.GridH, Labels: len(soft) / n}
	maps := transpose(soft, n, s.Labels)
	for g := range s.Labels {
		s.Planes, s.Owner = append(s.Planes, maps[g*n:(g+1)*n]), append(s.Owner, uint16(g+1))
	}
	r, err := s.Decide(ctx, v.Width, v.Height, 0, false)
	if err != nil {
		return nil, err
	}
	return r.Map, nil
}
