package experiment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/bench"
)

// Group is what one group of a stage takes across a data set.
type Group struct {
	// Stage and Number count from 1.
	Stage  int `json:"stage"`
	Number int `json:"number"`
	// Share is the group's part of all pixels, Photos the number of photos where it
	// has any.
	Share  float64 `json:"share"`
	Photos int     `json:"photos"`
	// Words are the nearest to the group's vector, by the mean cosine over photos,
	// weighted by its pixels. A group of an earlier stage has no vector among the
	// words: it has that of the last stage's groups which it becomes part of.
	Words []Weighed `json:"words"`
	// Takes are the true classes of its pixels, where there are masks, by share.
	Takes []Weighed `json:"takes,omitempty"`
}

// Weighed is a word with a number.
type Weighed struct {
	Word  string  `json:"word"`
	Value float64 `json:"value"`
}

// taken is what is counted of a group.
type taken struct {
	pixels  float64
	photos  int
	cosines []float64 // by word, weighted by pixels
	classes []float64 // by true class, pixels
	best    []example
}

// example is a photo in which a group takes much.
type example struct {
	photo int
	share float64
}

// tokens is Figure 7.
func (b *session) tokens(ctx context.Context) (*Report, error) {
	e, words, err := b.openFigure(ctx)
	if err != nil {
		return nil, err
	}
	defer e.close()
	g := b.gallery()
	groups := stageGroups(e.weights.Config)
	counts := make([][]taken, len(groups))
	for s, n := range groups {
		counts[s] = make([]taken, n)
		for k := range counts[s] {
			counts[s][k].cosines, counts[s][k].classes = make([]float64, len(words)), make([]float64, 256)
		}
	}
	var total float64
	for i := range g.count {
		n, err := b.count(ctx, e, g, i, words, counts)
		if err != nil {
			return nil, b.stopped(ctx, err)
		}
		total += n
		if (i+1)%200 == 0 {
			b.say("%s: %d of %d photos", b.Name, i+1, g.count)
		}
	}
	r := b.report(fmt.Sprintf("%s; %d photos.", b.figureSetting(), g.count))
	for s := range counts {
		for k := range counts[s] {
			if group := b.group(s, k, &counts[s][k], total); group.Photos > 0 {
				r.Groups = append(r.Groups, group)
			}
		}
	}
	if err := b.sheets(ctx, e, g, counts, r); err != nil {
		return nil, b.stopped(ctx, err)
	}
	return r, nil
}

// count adds what the groups take of photo i; it returns the photo's pixels, which
// count 1 for each photo, whatever its size.
func (b *session) count(ctx context.Context, e *encoder, g gallery, i int, words [][]float32, counts [][]taken) (float64, error) {
	photo, truth, name, err := g.load(i)
	if err != nil {
		return 0, err
	}
	l, err := e.look(ctx, photo)
	if err != nil {
		return 0, fmt.Errorf("photo %s: %w", name, err)
	}
	groups, width := stageGroups(e.weights.Config), e.weights.Config.EmbedWidth
	for s := range counts {
		m, err := assign.GroupMap(ctx, l.view, s)
		if err != nil {
			return 0, fmt.Errorf("photo %s: %w", name, err)
		}
		vectors := vectorsOf(l, groups, s, width)
		pixels := make([]float64, groups[s])
		one := 1 / float64(len(m.Labels))
		for at, label := range m.Labels {
			pixels[label-1] += one
			if truth != nil && truth.Labels[at] != bench.Ignore {
				counts[s][label-1].classes[truth.Labels[at]] += one
			}
		}
		for k, n := range pixels {
			if n > 0 {
				counts[s][k].add(i, n, vectors[k*width:(k+1)*width], words, max(b.scale.Examples, 1))
			}
		}
	}
	return 1, nil
}

func (t *taken) add(photo int, share float64, vector []float32, words [][]float32, examples int) {
	t.pixels += share
	t.photos++
	for w, word := range words {
		t.cosines[w] += share * float64(dot(vector, word))
	}
	t.best = append(t.best, example{photo, share})
	slices.SortStableFunc(t.best, func(a, b example) int { return cmp.Compare(b.share, a.share) })
	t.best = t.best[:min(len(t.best), examples)]
}

// vectorsOf are unit vectors of a stage's groups [G_s, P]: the last stage's own, or
// the mean of those that a group becomes part of.
func vectorsOf(l *look, groups []int, stage, width int) []float32 {
	last := len(groups) - 1
	own := l.window().Groups
	if stage == last {
		return own
	}
	flow := assign.Chain(l.soft[stage+1:], groups[stage+1:]) // [G_s, G_last]
	out := make([]float32, groups[stage]*width)
	for g := range groups[stage] {
		for k := range groups[last] {
			for j := range width {
				out[g*width+j] += flow[g*groups[last]+k] * own[k*width+j]
			}
		}
	}
	assign.Normalize(out, width)
	return out
}

// group sums up.
func (b *session) group(stage, number int, t *taken, total float64) Group {
	g := Group{Stage: stage + 1, Number: number + 1, Share: t.pixels / total, Photos: t.photos}
	if t.photos == 0 {
		return g
	}
	for w, name := range b.names() {
		g.Words = append(g.Words, Weighed{name, t.cosines[w] / t.pixels})
	}
	if b.set != nil && len(b.Photos) == 0 {
		for c, name := range b.set.Names() {
			if t.classes[c] > 0 {
				g.Takes = append(g.Takes, Weighed{name, t.classes[c] / t.pixels})
			}
		}
	}
	for _, list := range []*[]Weighed{&g.Words, &g.Takes} {
		slices.SortStableFunc(*list, func(a, b Weighed) int { return cmp.Compare(b.Value, a.Value) })
		*list = (*list)[:min(len(*list), 3)]
	}
	return g
}
