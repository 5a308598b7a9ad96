package assign

import "github.com/groupvit/groupvit/mask"

// GroupMap returns, at the photo's own size, which group of a grouping stage
// (from 0) each pixel belongs to most, counted from 1. The view must have one
// window, since groups of different windows have nothing in common.
func GroupMap(v *View, stage int) (*mask.Map, error) {
	if err := v.check(true, false); err != nil {
		return nil, err
	}
	w := v.Windows[0]
	whole := w
	whole.Width, whole.Height = v.Width, v.Height
	m, err := mask.New(v.Width, v.Height)
	if err != nil {
		return nil, err
	}
	for i, g := range hardest(w.Stages[stage], &whole) {
		m.Labels[i] = g + 1
	}
	return m, nil
}
