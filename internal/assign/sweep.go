package assign

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/groupvit/groupvit/mask"
)

// Sweep decides, as [Scores.Decide] does, for several thresholds; the scores
// are resized once.
func (s *Scores) Sweep(ctx context.Context, width, height int, thresholds []float64) ([]*mask.Map, error) {
	f, err := s.survey(ctx, width, height, true, false)
	if err != nil {
		return nil, err
	}
	// The best score's share of a pixel's sum is compared with each threshold;
	// the exponential is made once.
	share := make([]float64, len(f.sum))
	for i := range share {
		share[i] = exp(f.sharpness * float64(f.best[i]-1))
	}
	maps := make([]*mask.Map, len(thresholds))
	for t, threshold := range thresholds {
		m := &mask.Map{Width: width, Height: height, Labels: slices.Clone(f.labels.Labels)}
		if threshold > 0 {
			for i, s := range share {
				if s < threshold*f.sum[i] {
					m.Labels[i] = 0
				}
			}
		}
		maps[t] = m
	}
	return maps, nil
}

// PaperSweep is [Paper] and [Scores.Decide] for several thresholds, at the
// photo's own size. A threshold moves nothing but the plane of background, and
// few thresholds move that: each distinct plane is made once.
func PaperSweep(ctx context.Context, v *View, text []float32, width int, sigma float64, thresholds []float64) ([]*mask.Map, error) {
	s, err := Paper(ctx, v, text, width, sigma, math.NaN())
	if err != nil {
		return nil, err
	}
	f, err := s.survey(ctx, v.Width, v.Height, false, false)
	if err != nil {
		return nil, err
	}
	classes := len(text) / width
	groups, scores := v.hardest(), make([][]float64, len(v.Windows))
	for i := range v.Windows {
		w := &v.Windows[i]
		scores[i] = GroupScores(w.Groups, w.Image, text, width, sigma)
	}
	known := map[string]*mask.Map{}
	maps := make([]*mask.Map, len(thresholds))
	for t, threshold := range thresholds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		background := make([][]bool, len(v.Windows))
		for i := range background {
			background[i] = below(scores[i], classes, threshold)
		}
		key := fmt.Sprint(background)
		if known[key] == nil {
			plane := make([]float32, s.Width*s.Height)
			for i := range v.Windows {
				s.addBackground(plane, &v.Windows[i], groups[i], background[i])
			}
			s.average(v, [][]float32{plane})
			known[key] = f.against(plane, s, v)
		}
		maps[t] = known[key]
	}
	return maps, nil
}

// against is the decision when a plane of background, first among the planes,
// competes with those that were surveyed.
func (f *survey) against(plane []float32, s *Scores, v *View) *mask.Map {
	m := &mask.Map{Width: v.Width, Height: v.Height, Labels: slices.Clone(f.labels.Labels)}
	newResizer(s.Height, s.Width, v.Height, v.Width).plane(plane, func(y int, row []float32) {
		at := y * v.Width
		for x, b := range row {
			if f.best[at+x] <= b {
				m.Labels[at+x] = 0
			}
		}
	})
	return m
}
