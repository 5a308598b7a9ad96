package selftrain

import (
	"cmp"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/pairs"
)

// Mask is a label map whose first words are things, in the order of the scene, and
// whose others are stuff.
type Mask struct {
	pairs.LabelMap
	// Things is the number of words that are things.
	Things int
}

// maxLabels is the number of words that a mask may name.
const maxLabels = pairs.LabelUnknown - 1

// bonus is what is added to a word's logits: among things, and against stuff.
type bonus struct{ among, against float64 }

// keptStuff is how many stuff words that are not named keep a plane of their own: the
// most probable over the photo. The others count in the sum.
const keptStuff = 6

// floor keeps divisions by the mean of a largest tenth away from zero.
const floor = 1e-4

// posterior holds probabilities on a square grid.
type posterior struct {
	side   int
	things [][]float32 // as in the scene
	stuff  [][]float32 // those that are kept
	of     []int       // words of stuff
	sum    []float32   // of all stuff
}

// logitsOf returns the logits of a word of the words at every place of a grid.
type logitsOf func(word int) []float32

// posterior is the softmax over the things of a scene and all stuff words. The
// things' shares among themselves and the share of all of them against stuff take
// different bonuses; those of stuff words change their shares among themselves alone.
func (s Settings) posterior(w *Words, scene Scene, side int, logits logitsOf, bonuses []bonus) *posterior {
	n := side * side
	p := &posterior{side: side, things: planes(len(scene.Things), n), sum: make([]float32, n)}
	things := make([][]float32, len(scene.Things))
	extra := make([]bonus, len(things))
	for i, t := range scene.Things {
		things[i], extra[i] = logits(t), bonuses[t]
		if t == w.person && s.PersonParts {
			for _, part := range scene.Parts {
				things[i] = larger(things[i], logits(part))
			}
		}
	}
	stuff := make([][]float32, w.stuff)
	more := make([]float64, w.stuff)
	for i := range stuff {
		stuff[i] = logits(w.things + i)
	}
	factor := make([]float64, w.stuff) // of a word's share of stuff
	for i := range factor {
		factor[i] = 1
	}
	for _, i := range scene.Stuff {
		more[i-w.things] = math.Log(s.NamedStuff)
		factor[i-w.things] = math.Exp(bonuses[i].among)
	}
	all := planes(w.stuff, n)
	terms := make([]float64, w.stuff)
	for at := range n {
		top := math.Inf(-1)
		for i, plane := range things {
			top = max(top, float64(plane[at])+extra[i].among)
		}
		for i, plane := range stuff {
			terms[i] = float64(plane[at]) + more[i]
			top = max(top, terms[i])
		}
		var among, against, ground float64
		for i, plane := range things {
			l := float64(plane[at]) - top
			e := assign.Exp(l + extra[i].among)
			p.things[i][at] = float32(e)
			among += e
			against += assign.Exp(l + extra[i].against)
		}
		for i := range terms {
			terms[i] = assign.Exp(terms[i] - top)
			ground += terms[i]
		}
		total := against + ground
		if among > 0 {
			f := float32(against / (among * total))
			for i := range p.things {
				p.things[i][at] *= f
			}
		}
		p.sum[at] = float32(ground / total)
		shares := 0.0
		for i, e := range terms {
			terms[i] = e * factor[i]
			shares += terms[i]
		}
		for i, e := range terms {
			all[i][at] = float32(e / shares * ground / total)
		}
	}
	p.keep(all, scene.Stuff, w.things)
	return p
}

// keep keeps the named stuff words and the most probable of the others.
func (p *posterior) keep(all [][]float32, named []int, first int) {
	mean := make([]float64, len(all))
	others := make([]int, 0, len(all))
	for i, plane := range all {
		for _, v := range plane {
			mean[i] += float64(v)
		}
		if slices.Contains(named, first+i) {
			p.of = append(p.of, first+i)
		} else {
			others = append(others, i)
		}
	}
	slices.SortStableFunc(others, func(a, b int) int { return cmp.Compare(mean[b], mean[a]) })
	for _, i := range others[:min(len(others), keptStuff)] {
		p.of = append(p.of, first+i)
	}
	slices.Sort(p.of)
	for _, i := range p.of {
		p.stuff = append(p.stuff, all[i-first])
	}
}

func (p *posterior) all() []*[]float32 {
	var list []*[]float32
	for i := range p.things {
		list = append(list, &p.things[i])
	}
	for i := range p.stuff {
		list = append(list, &p.stuff[i])
	}
	return append(list, &p.sum)
}

// smooth enlarges every plane to twice the side, lets superpixels of the photo vote
// there, if there are any, and takes means of 2×2 places.
func (p *posterior) smooth(regions *assign.Regions) {
	side := 2 * p.side
	big := make([]float32, side*side)
	for _, plane := range p.all() {
		imaging.BilinearMapInto(big, *plane, p.side, p.side, side, side)
		voted := big
		if regions != nil {
			voted = regions.Mean(big)
		}
		for y := range p.side {
			a, b := voted[2*y*side:], voted[(2*y+1)*side:]
			for x := range p.side {
				(*plane)[y*p.side+x] = (a[2*x] + a[2*x+1] + b[2*x] + b[2*x+1]) / 4
			}
		}
	}
}

// regions cuts a photo, small is it at twice the grid's side, into superpixels that
// vote; nil where the settings want none.
func (s Settings) regions(small *imaging.Image) *assign.Regions {
	if s.VoteSuperpixels == 0 {
		return nil
	}
	n := small.Width * small.Height
	picture := make([]float32, 3*n)
	for i := range n {
		q := small.Pix[3*i : 3*i+3]
		picture[i], picture[n+i], picture[2*n+i] = float32(q[0]), float32(q[1]), float32(q[2])
	}
	side := float64(slices.Max(s.Views)) / votePatch
	o := assign.VoteOptions{Patches: side * side, Superpixels: s.VoteSuperpixels, Spread: s.VoteSpread, Levels: s.VoteLevels}
	return o.Regions(picture, small.Width, small.Height)
}

// votePatch is the side, in pixels of a view, of the patches that superpixels are
// measured in.
const votePatch = 8

// decide makes the mask of probabilities.
func (s Settings) decide(w *Words, scene Scene, p *posterior) *Mask {
	n := p.side * p.side
	m := &Mask{pairs.LabelMap{Width: p.side, Height: p.side, Pix: make([]uint8, n)}, len(scene.Things)}
	for _, t := range scene.Things {
		m.Words = append(m.Words, w.names[t])
	}
	stuff := m.stuffValues(w, scene, p.of, s.NamedStuffOnly)
	tops, shares := make([]float32, len(p.things)), make([]float32, len(p.things))
	for i, plane := range p.things {
		tops[i] = max(topTenth(plane), floor)
		shares[i] = float32(math.Pow(float64(tops[i]), s.Evenness))
	}
	for at := range n {
		best, score := -1, float32(0)
		var relative, largest float32 // over all things
		for i, plane := range p.things {
			v := plane[at]
			if g := v / shares[i]; best < 0 || g > score {
				best, score = i, g
			}
			relative, largest = max(relative, v/tops[i]), max(largest, v)
		}
		switch {
		case best >= 0 && s.foreground(p.things[best][at], tops[best], scene.Templated):
			m.Pix[at] = uint8(best + 1)
		case best < 0 || relative < float32(s.Low) || !scene.Templated && largest < float32(s.Faint):
			m.Pix[at] = p.ground(at, stuff, float32(s.StuffConfidence))
		default:
			m.Pix[at] = pairs.LabelUnknown
		}
	}
	return m
}

func (s Settings) foreground(p, top float32, templated bool) bool {
	return p/top >= float32(s.High) && (templated || p >= float32(s.Least))
}

// stuffValues adds labels for stuff words that may be written and returns the value
// of each word that is kept.
func (m *Mask) stuffValues(w *Words, scene Scene, kept []int, namedOnly bool) []uint8 {
	values := make([]uint8, len(kept))
	for i, word := range kept {
		if len(m.Words) < maxLabels && (!namedOnly || slices.Contains(scene.Stuff, word)) {
			m.Words = append(m.Words, w.names[word])
			values[i] = uint8(len(m.Words))
		}
	}
	return values
}

// ground is the value of a place of background: that of the best stuff word where it
// is surely the one.
func (p *posterior) ground(at int, values []uint8, confidence float32) uint8 {
	best := -1
	for i, plane := range p.stuff {
		if best < 0 || plane[at] > p.stuff[best][at] {
			best = i
		}
	}
	if best < 0 || p.stuff[best][at] <= confidence*max(p.sum[at], 1e-6) {
		return pairs.LabelBackground
	}
	return values[best]
}

// topTenth is the mean of a plane's largest tenth, one place at least.
func topTenth(plane []float32) float32 {
	sorted := slices.Clone(plane)
	slices.Sort(sorted)
	n := max(len(sorted)/10, 1)
	var sum float64
	for _, v := range sorted[len(sorted)-n:] {
		sum += float64(v)
	}
	return float32(sum / float64(n))
}

func planes(count, size int) [][]float32 {
	all := make([]float32, count*size)
	out := make([][]float32, count)
	for i := range out {
		out[i] = all[i*size : (i+1)*size : (i+1)*size]
	}
	return out
}

func larger(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range out {
		out[i] = max(a[i], b[i])
	}
	return out
}
