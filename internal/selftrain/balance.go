package selftrain

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
)

// balanceGrid is the side of the grid that balance is fitted on.
const balanceGrid = 16

// leastForBalance is the number of photos that must name a word for it to be balanced.
const leastForBalance = 8

// evidence is what balance needs of a photo: logits of its things, and of all stuff
// together, on balanceGrid.
type evidence struct {
	things []int
	logits [][]float32 // by thing
	stuff  []float32   // log Σ exp over stuff
	named  []int       // stuff words that are named
	ground [][]float32 // their logits
}

// evidence collects it.
func (s Settings) evidence(w *Words, scene Scene, logits logitsOf) evidence {
	n := balanceGrid * balanceGrid
	e := evidence{things: scene.Things, stuff: make([]float32, n)}
	for _, t := range scene.Things {
		plane := logits(t)
		if t == w.person && s.PersonParts {
			for _, part := range scene.Parts {
				plane = larger(plane, logits(part))
			}
		}
		e.logits = append(e.logits, plane)
	}
	sum := make([]float64, n)
	top := make([]float32, n)
	var stuff [][]float32
	for i := range w.stuff {
		plane := logits(w.things + i)
		if slices.Contains(scene.Stuff, w.things+i) {
			for at := range plane {
				plane[at] += float32(math.Log(s.NamedStuff))
			}
			e.named, e.ground = append(e.named, w.things+i), append(e.ground, plane)
		}
		if stuff = append(stuff, plane); i == 0 {
			copy(top, plane)
		}
		for at, v := range plane {
			top[at] = max(top[at], v)
		}
	}
	for _, plane := range stuff {
		for at, v := range plane {
			sum[at] += assign.Exp(float64(v - top[at]))
		}
	}
	for at := range n {
		e.stuff[at] = top[at] + float32(math.Log(sum[at]))
	}
	return e
}

// tops are the means of the largest tenth of each thing's probability.
func (e evidence) tops(bonuses []bonus) []float64 {
	n := len(e.stuff)
	p := planes(len(e.things), n)
	for at := range n {
		top := math.Inf(-1)
		for i, t := range e.things {
			top = max(top, float64(e.logits[i][at])+bonuses[t].among)
		}
		ground := assign.Exp(float64(e.stuff[at]) - top)
		var among, against float64
		for i, t := range e.things {
			l := float64(e.logits[i][at]) - top
			x := assign.Exp(l + bonuses[t].among)
			p[i][at] = float32(x)
			among += x
			against += assign.Exp(l + bonuses[t].against)
		}
		f := float32(against / (among * (against + ground)))
		for i := range p {
			p[i][at] *= f
		}
	}
	out := make([]float64, len(p))
	for i, plane := range p {
		out[i] = float64(topTenth(plane))
	}
	return out
}

// fit returns what is added to each word.
func (s Settings) fit(ctx context.Context, w *Words, sample []evidence, threads int) ([]bonus, error) {
	switch s.Balance {
	case BalanceCalibrate:
		return s.fitCalibration(w, sample), nil
	case BalanceBonus:
		return s.fitBonus(ctx, w, sample, threads)
	}
	return make([]bonus, len(w.names)), nil
}

// groundTops are the means of the largest tenth of each named stuff word's share of
// all stuff.
func (e evidence) groundTops(bonuses []bonus) []float64 {
	n := len(e.stuff)
	p := planes(len(e.named), n)
	for at := range n {
		others, total := 1.0, 0.0
		for i, word := range e.named {
			x := assign.Exp(float64(e.ground[i][at] - e.stuff[at]))
			others -= x
			x *= math.Exp(bonuses[word].among)
			p[i][at] = float32(x)
			total += x
		}
		f := float32(1 / (total + max(others, 0)))
		for i := range p {
			p[i][at] *= f
		}
	}
	out := make([]float64, len(p))
	for i, plane := range p {
		out[i] = float64(topTenth(plane))
	}
	return out
}

// balanceRounds bounds the fit of bonuses; it ends before when none moves more than
// balanceStep.
const (
	balanceRounds = 40
	balanceStep   = 0.01
)

// fitBonus adapts a bonus for each thing so that the median, over the photos that
// name it, of the mean of its largest tenth is a half; and one for each stuff word so
// that the same holds for its share of all stuff, which does not change how probable
// stuff is beside things.
func (s Settings) fitBonus(ctx context.Context, w *Words, sample []evidence, threads int) ([]bonus, error) {
	bonuses := make([]bonus, len(w.names))
	tops := make([][]float64, len(sample))
	for range balanceRounds {
		err := sideBySide(ctx, len(sample), threads, func(i int) {
			tops[i] = append(sample[i].tops(bonuses), sample[i].groundTops(bonuses)...)
		})
		if err != nil {
			return nil, err
		}
		found := make([][]float64, w.things+w.stuff)
		for i, e := range sample {
			for k, word := range append(slices.Clip(e.things), e.named...) {
				found[word] = append(found[word], tops[i][k])
			}
		}
		moved := 0.0
		for word, list := range found {
			if word == w.person && !s.BalancePerson || word >= w.things && !s.BalanceNamedStuff || len(list) < leastForBalance {
				continue
			}
			m := min(max(median(list), 1e-6), 1-1e-6)
			step := min(max(-math.Log(m/(1-m))/2, -1), 1)
			next := min(max(bonuses[word].among+step, 0), s.BalanceCap)
			moved = max(moved, math.Abs(next-bonuses[word].among))
			bonuses[word].among = next
			if word < w.things {
				bonuses[word].against = min(next, s.BalanceStuff)
			}
		}
		if moved < balanceStep {
			break
		}
	}
	return bonuses, nil
}

// The range of what calibration adds.
const (
	leastCalibration = -3
	mostCalibration  = 25
)

// fitCalibration makes zero, for each thing, the median over the photos that name it
// of the 90th percentile of its logit less that of all stuff together.
func (s Settings) fitCalibration(w *Words, sample []evidence) []bonus {
	found := make([][]float64, w.things)
	for _, e := range sample {
		for k, t := range e.things {
			margin := make([]float64, len(e.stuff))
			for at := range margin {
				margin[at] = float64(e.logits[k][at] - e.stuff[at])
			}
			found[t] = append(found[t], quantile(margin, 0.9))
		}
	}
	bonuses := make([]bonus, len(w.names))
	for t, list := range found {
		if len(list) >= leastForBalance {
			b := min(max(-median(list), leastCalibration), mostCalibration)
			bonuses[t] = bonus{b, b}
		}
	}
	return bonuses
}

func median(x []float64) float64 { return quantile(x, 0.5) }

// quantile interpolates between the two nearest of the sorted values.
func quantile(x []float64, q float64) float64 {
	sorted := slices.Clone(x)
	slices.SortFunc(sorted, cmp.Compare[float64])
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
