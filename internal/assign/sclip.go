package assign

import (
	"context"

	"github.com/groupvit/groupvit/mask"
)

// Queries scores a view by cosines, one plane a row of words (a query) and
// background's queries first: what [SCLIP] decides on.
func Queries(ctx context.Context, v *View, words Words, from Source) (*Scores, error) {
	if err := v.check(from != FromPatches, from != FromGroups); err != nil {
		return nil, err
	}
	s := &Scores{Width: v.SeenWidth, Height: v.SeenHeight, Labels: words.Labels}
	for _, owner := range words.Owner {
		s.add(owner)
	}
	for i := range v.Windows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &v.Windows[i]
		r := newResizer(w.GridH, w.GridW, w.Height, w.Width)
		for row, grid := range cosineMaps(w, words, from) {
			s.spread(s.Planes[row], w, r, grid)
		}
	}
	s.average(v, s.Planes)
	return s, nil
}

// SCLIP are the numbers of SCLIP's evaluation (Wang et al., ECCV 2024).
type SCLIP struct {
	// Scale multiplies cosines before the softmax over all queries.
	Scale float64
	// Threshold makes pixels background whose best class has a smaller
	// probability; 0 makes none.
	Threshold float64
	// Area drops classes that have no more than this share of the photo's pixels
	// that are not background; 0 drops none.
	Area float64
}

// Decide turns scores of [Queries] into a map: a softmax over all queries at the
// photo's own size, a class's score being the largest of its queries'. Background
// is a class where it has queries; it is never dropped for its area.
func (o SCLIP) Decide(ctx context.Context, s *Scores, width, height int, keep bool) (*Result, error) {
	maps, f, err := o.decide(ctx, s, width, height, []float64{o.Threshold})
	if err != nil {
		return nil, err
	}
	res := &Result{Map: maps[0], Mean: make([]float64, s.Labels)}
	counts := make([]int, s.Labels)
	for i, l := range res.Map.Labels {
		if l > 0 {
			counts[l-1]++
			res.Mean[l-1] += f.probability(i)
		}
	}
	for l, c := range counts {
		res.Mean[l] /= float64(max(c, 1))
	}
	if keep {
		res.Scores, err = o.probabilities(ctx, s, f.sum, width, height)
	}
	return res, err
}

// Sweep decides for several thresholds; the scores are resized once or twice.
func (o SCLIP) Sweep(ctx context.Context, s *Scores, width, height int, thresholds []float64) ([]*mask.Map, error) {
	maps, _, err := o.decide(ctx, s, width, height, thresholds)
	return maps, err
}

func (o SCLIP) decide(ctx context.Context, s *Scores, width, height int, thresholds []float64) ([]*mask.Map, *survey, error) {
	sharp := *s
	sharp.Sharpness = o.Scale
	f, err := sharp.survey(ctx, width, height, true, false)
	if err != nil {
		return nil, nil, err
	}
	if small := o.small(f.labels, s.Labels); small != nil {
		// Dropped classes win no pixel but stay in the softmax's sum.
		rest := sharp.without(small)
		again, err := rest.survey(ctx, width, height, false, false)
		if err != nil {
			return nil, nil, err
		}
		f.labels, f.best = again.labels, again.best
	}
	maps := make([]*mask.Map, len(thresholds))
	for t, threshold := range thresholds {
		m := &mask.Map{Width: width, Height: height, Labels: make([]uint16, width*height)}
		for i, l := range f.labels.Labels {
			if f.probability(i) >= threshold {
				m.Labels[i] = l
			}
		}
		maps[t] = m
	}
	return maps, f, nil
}

// small says which labels (from 1) have too few pixels, nil if none has.
func (o SCLIP) small(m *mask.Map, labels int) []bool {
	if o.Area <= 0 {
		return nil
	}
	pixels, foreground := make([]int, labels+1), 0
	for _, l := range m.Labels {
		pixels[l]++
		if l > 0 {
			foreground++
		}
	}
	small, found := make([]bool, labels+1), false
	for l := 1; l <= labels; l++ {
		small[l] = float64(pixels[l]) <= o.Area*float64(foreground)
		found = found || small[l] && pixels[l] > 0
	}
	if !found {
		return nil
	}
	return small
}

// without are the scores less the planes of some labels.
func (s *Scores) without(labels []bool) *Scores {
	rest := *s
	rest.Planes, rest.Owner = nil, nil
	for p, owner := range s.Owner {
		if !labels[owner] {
			rest.Planes, rest.Owner = append(rest.Planes, s.Planes[p]), append(rest.Owner, owner)
		}
	}
	return &rest
}

// probability is that of pixel i's best plane among all.
func (f *survey) probability(i int) float64 {
	return exp(f.sharpness*float64(f.best[i]-1)) / f.sum[i]
}

// probabilities are every label's, [labels, height, width].
func (o SCLIP) probabilities(ctx context.Context, s *Scores, sum []float64, width, height int) ([]float32, error) {
	out := make([]float32, s.Labels*width*height)
	err := upsample(ctx, s.Planes, s.Height, s.Width, height, width, func(y, plane int, row []float32) {
		owner := int(s.Owner[plane])
		if owner == 0 {
			return
		}
		to := out[((owner-1)*height+y)*width:]
		for x, v := range row {
			to[x] = max(to[x], float32(exp(o.Scale*float64(v-1))/sum[y*width+x]))
		}
	})
	return out, err
}
