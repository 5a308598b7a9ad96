package groupvit

import (
	"context"
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// sclip is the evaluation of SCLIP (Wang et al., ECCV 2024). It fixes everything around
// a network but not the network, whose cosines of groups or patches it takes:
//
//   - The photo's short side becomes one and a half times the training size or more, by
//     the benchmark, and windows of the training size slide over it by half of theirs.
//   - Every name of a label is a query of its own, of 80 prompts; so is every word of
//     the background vocabulary of the benchmark.
//   - A pixel's probabilities are a softmax over all queries' scaled cosines, and a
//     label's is the largest of its queries'.
//   - A label with a small share of the pixels that are not background goes, where the
//     benchmark says so; a pixel whose best probability is below the benchmark's
//     threshold is background.
type sclip struct{ openCV }

func (sclip) traits() traits { return traits{published: true, naming: vocab.Queries} }

// sclipSettings are what the evaluation fixes by benchmark.
type sclipSettings struct {
	scale float64
	// side is the photo's short side for a network trained at 224 pixels.
	side            int
	threshold, area float64
	// background is the background vocabulary; none: every pixel gets a label.
	background []string
}

// sclipFor returns the settings of a benchmark; of any other photo, those of
// COCO-Object, whose words are the most general.
func sclipFor(benchmark string) sclipSettings {
	words := vocab.BackgroundWords()
	switch benchmark {
	case "voc21":
		return sclipSettings{scale: 65, side: 336, threshold: 0.1, area: 0.1, background: words}
	case "context60":
		return sclipSettings{scale: 50, side: 336, threshold: 0.1, background: []string{vocab.Background}}
	case "voc20", "context59", "ade20k":
		return sclipSettings{scale: 40, side: 336}
	case "coco-stuff":
		return sclipSettings{scale: 40, side: 448}
	case "cityscapes":
		return sclipSettings{scale: 40, side: 560}
	}
	return sclipSettings{scale: 50, side: 336, threshold: 0.1, background: words}
}

// sized is the rule for a network trained at so many pixels.
func (s sclipSettings) sized(size int) assign.Rule {
	return assign.Rule{ShortSide: s.side * size / publishedSize, LongSide: 2048 * size / publishedSize, Window: size, Stride: max(1, size/2)}
}

func (sclip) rule(m *Model, benchmark string, shortSide int) (assign.Rule, error) {
	return m.withShortSide(sclipFor(benchmark).sized(m.config.ImageSize), shortSide, false)
}

func (sclip) note(m *Model, benchmark string, r assign.Rule) string {
	return noteAgainst(sclipFor(benchmark).sized, m.config.ImageSize, r)
}

func (sclip) prompts(*Model) (prompts, error) { return namedPrompts("full") }

func (sclip) planes(e *Encoded, classes []vocab.Class) int {
	n := len(sclipFor(e.benchmark).background)
	for _, c := range classes {
		n += len(c.Names())
	}
	return n
}

// words are the background vocabulary beside labels. A benchmark's is fixed; for other
// photos a word that means a label is left out.
func (s sclipSettings) words(benchmark string, classes []vocab.Class) []string {
	if benchmark != "" {
		return s.background
	}
	return vocab.WithoutLabels(s.background, classes)
}

func (sclip) score(ctx context.Context, e *Encoded, q *query, r *Report) (scored, error) {
	settings := sclipFor(e.benchmark)
	threshold := q.Background.resolve(settings.threshold)
	r.Background = thresholdText(threshold)
	words := assign.Words{Labels: len(q.classes), Width: e.model.config.EmbedWidth}
	var names []string
	if background := settings.words(e.benchmark, q.classes); !math.IsNaN(threshold) && len(background) > 0 {
		names, words.Owner = background, make([]uint16, len(background))
		r.Background = fmt.Sprintf("%s, %g", modelfile.ByWords, threshold)
	}
	for i, c := range q.classes {
		for _, n := range c.Names() {
			names, words.Owner = append(names, n), append(words.Owner, uint16(i+1))
		}
	}
	var err error
	if words.Vectors, err = e.nameVectors(ctx, q, r, names, false); err != nil {
		return nil, err
	}
	scores, err := assign.Queries(ctx, e.view(), words, e.model.source())
	return &sclipScores{e, scores, settings, threshold}, err
}

type sclipScores struct {
	e         *Encoded
	scores    *assign.Scores
	settings  sclipSettings
	threshold float64 // NaN: no background
}

func (s *sclipScores) decide(ctx context.Context, width, height int, keep bool) (*decided, error) {
	r, err := s.numbers(s.threshold).Decide(ctx, s.scores, width, height, keep)
	if err != nil {
		return nil, err
	}
	return &decided{pixels: r.Map, means: r.Mean, scores: r.Scores, planes: s.scores.AsPlanes()}, nil
}

// numbers are those of the decision; without background no label is dropped.
func (s *sclipScores) numbers(threshold float64) assign.SCLIP {
	n := assign.SCLIP{Scale: s.settings.scale, Threshold: threshold, Area: s.settings.area}
	if math.IsNaN(threshold) {
		n.Threshold, n.Area = 0, 0
	}
	return n
}

func (s *sclipScores) sweep(ctx context.Context, thresholds []float64) ([]*mask.Map, error) {
	v := s.e.view()
	return s.numbers(0).Sweep(ctx, s.scores, v.Width, v.Height, thresholds)
}
