package assign

import "context"

// HF scores a view as the Hugging Face port's segmentation logits:
// scale² · Σ_g cos(z_g, t_c)·a[g,n], upsampled bilinearly; no background. scale
// is exp(logit_scale), not clamped.
func HF(ctx context.Context, v *View, text []float32, width int, scale float64) (*Scores, error) {
	if err := v.check(true, false); err != nil {
		return nil, err
	}
	classes := len(text) / width
	s := newScores(v, classes, false)
	for i := range v.Windows {
		w := &v.Windows[i]
		r := newResizer(w.GridH, w.GridW, w.Height, w.Width)
		maps := groupMaps(w, text, width)
		for c, grid := range maps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for n := range grid {
				grid[n] = float32(float64(grid[n]) * scale * scale)
			}
			s.spread(s.label(c), w, r, grid)
		}
	}
	s.average(v, s.Planes)
	return s, nil
}
