package assign

import (
	"context"
	"math"

	"github.com/groupvit/groupvit/mask"
)

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
// it has planes, unless it is silent.
//
// With Sharpness τ and a threshold above 0, a pixel whose best label has a
// probability exp(τ·best)/Σ exp(τ·score), over the planes and those of others,
// below the threshold becomes background. keep asks for all labels' scores.
func (s *Scores) Decide(ctx context.Context, width, height int, threshold float64, keep bool) (*Result, error) {
	f, err := s.survey(ctx, width, height, threshold > 0, keep)
	if err != nil {
		return nil, err
	}
	res := &Result{Map: f.labels, Mean: make([]float64, s.Labels), Scores: f.scores}
	counts := make([]int, s.Labels)
	for i, l := range f.labels.Labels {
		if l == 0 {
			continue
		}
		if f.unsure(i, threshold) {
			f.labels.Labels[i] = 0
			continue
		}
		counts[l-1]++
		res.Mean[l-1] += float64(f.best[i])
	}
	for l, c := range counts {
		res.Mean[l] /= float64(max(c, 1))
	}
	return res, nil
}

// survey is what a decision needs to know of every pixel of the photo.
type survey struct {
	// labels are those with the best score, before any threshold.
	labels *mask.Map
	best   []float32
	// sum is Σ exp(τ·(score − 1)) over all planes; nil if not asked for or τ
	// is 0.
	sum []float64
	// scores [labels, height, width] is nil if not asked for.
	scores    []float32
	sharpness float64
	silent    bool
}

// survey resizes the scores to width × height once. sum and keep ask for what a
// threshold needs and for the labels' scores.
func (s *Scores) survey(ctx context.Context, width, height int, sum, keep bool) (*survey, error) {
	m, err := mask.New(width, height)
	if err != nil {
		return nil, err
	}
	n := width * height
	f := &survey{labels: m, best: make([]float32, n), sharpness: s.Sharpness, silent: s.Silent}
	if sum && s.Sharpness > 0 {
		f.sum = make([]float64, n)
	}
	if keep {
		f.scores = make([]float32, s.Labels*n)
	}
	err = upsample(ctx, s.Planes, s.Height, s.Width, height, width, func(y, plane int, row []float32) {
		f.add(y*width, plane, s.Owner[plane], row)
	})
	return f, err
}

// add takes a row of a plane, whose first pixel is number at.
func (f *survey) add(at, plane int, owner uint16, row []float32) {
	if f.scores != nil && owner > 0 {
		copy(f.scores[(int(owner)-1)*len(f.best)+at:], row)
	}
	best, labels := f.best[at:at+len(row)], f.labels.Labels[at:at+len(row)]
	if owner > 0 || !f.silent {
		for x, v := range row {
			if plane == 0 || v > best[x] {
				best[x], labels[x] = v, owner
			}
		}
	}
	if f.sum != nil {
		sum := f.sum[at : at+len(row)]
		for x, v := range row {
			sum[x] += exp(f.sharpness * float64(v-1))
		}
	}
}

// unsure says whether the probability of pixel i's best label is below a
// threshold.
func (f *survey) unsure(i int, threshold float64) bool {
	return f.sum != nil && exp(f.sharpness*float64(f.best[i]-1)) < threshold*f.sum[i]
}

// Exp is e^x to a relative error below 1e-10, for x cut to ±700, in a third of the
// time of math.Exp.
func Exp(x float64) float64 { return exp(x) }

// powers are 2^(i/64).
var powers = func() (p [64]float64) {
	for i := range p {
		p[i] = math.Exp2(float64(i) / 64)
	}
	return p
}()

// exp is e^x to a relative error below 1e-10, for x cut to ±700: a table of
// 2^(i/64) and three terms of the series for the rest, which is at most
// ln 2/128.
func exp(x float64) float64 {
	x = min(max(x, -700), 700)
	k := math.Floor(x*(64*math.Log2E) + 0.5)
	r := x - k*(math.Ln2/64)
	i := int(k)
	scale := math.Float64frombits(uint64(i>>6+1023) << 52)
	return (1 + r*(1+r*(0.5+r*(1./6)))) * powers[i&63] * scale
}
