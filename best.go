package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/vocab"
)

// techniquesOf are those that an option's quality and techniques say.
func (m *Model) techniquesOf(s *SegmentOptions) (Techniques, error) {
	if _, err := ParseQuality(string(s.Quality)); err != nil {
		return Techniques{}, err
	}
	if !(s.Sharpness >= 0 && s.Sharpness <= maxSharpness) {
		return Techniques{}, fmt.Errorf("%w: sharpness %g, allowed are 0 to %d", ErrOption, s.Sharpness, maxSharpness)
	}
	if s.Techniques == nil {
		return ParseTechniques(s.With, m.Techniques(s.Quality))
	}
	return *s.Techniques, s.Techniques.check()
}

// asked are the words of a question under protocol best.
type asked struct {
	words assign.Words
	// names are the words' own, by row.
	names     []string
	threshold float64 // NaN: no background
	sharpness float64
	takes     bool // the best hidden word may take a pixel
}

// ask makes the words of labels and of hidden words, and the rule of background.
func (e *Encoded) ask(ctx context.Context, classes []vocab.Class, s SegmentOptions, t Techniques, auto float64, report *Report) (asked, error) {
	m := e.model
	a := asked{words: assign.Words{Labels: len(classes), Width: m.config.EmbedWidth}, sharpness: m.Sharpness()}
	var names []string
	for i, own := range m.eval.Words.names(classes) {
		for _, n := range own {
			names, a.words.Owner = append(names, n), append(a.words.Owner, uint16(i+1))
		}
	}
	a.takes = m.eval.BackgroundRule != byProbability
	a.threshold = s.Background.resolve(auto)
	report.Background = "off"
	if !math.IsNaN(a.threshold) {
		hidden := m.hiddenWords(classes, names, t.Contrast)
		names = append(names, hidden...)
		a.words.Owner = append(a.words.Owner, make([]uint16, len(hidden))...)
		report.Background = m.backgroundText(a.threshold)
	}
	forms, err := e.prompts(s.Templates)
	if err != nil {
		return a, err
	}
	report.Templates = forms.forms.name
	if a.words.Vectors, err = m.classVectors(ctx, names, forms, false); err != nil {
		return a, err
	}
	a.names = names
	return a, nil
}

func (m *Model) backgroundText(threshold float64) string {
	text := byWords
	if m.eval.BackgroundRule == byProbability {
		text = byProbability
	}
	if threshold > 0 {
		text += fmt.Sprintf(", %g", threshold)
	}
	return text
}

// hiddenWords are the words that compete with labels and name nothing: those of
// ground and scenery, and with contrast all that the model was trained to find.
// What means a label, or is asked for a label, is left out.
func (m *Model) hiddenWords(classes []vocab.Class, asked []string, contrast bool) []string {
	words := slices.Clone(m.eval.BackgroundWords)
	if contrast {
		for _, w := range m.eval.Words.all() {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	own := []vocab.Class{{Synonyms: asked}}
	return vocab.WithoutLabels(vocab.WithoutLabels(words, classes), own)
}

// One label among all words that a model knows: there are many of them, and a thing's
// own word seldom has a third of the probability. So it has a low threshold, and must
// be a share as probable as where the photo has most of it, lest a word that is there
// covers what is only a little like it. Both were chosen on the even ones of 240 photos
// of VOC, for words that are there, while an absent one covers less than 5 % in the
// median (eval presence --half even); docs/experiments.md has the odd ones.
const (
	aloneThreshold = 0.02
	aloneCut       = 0.3
)

// alone says whether one label is asked of a model that learnt from a list of words,
// by a rule of its own. That label competes with all of the list, and what it has in
// the photo as a whole says nothing, as there is no other to prefer it to.
func (m *Model) alone(classes []vocab.Class, b Background) bool {
	return len(classes) == 1 && len(m.eval.Words.all()) > 0 && m.eval.BackgroundRule == byProbability && b.mode != backgroundOff
}

// decision is what pixels are decided from under protocol best, and what it was made
// of.
type decision struct {
	asked    asked
	evidence *assign.Evidence
	planes   *assign.Planes
	// threshold is the one in force; NaN for no background.
	threshold float64
	report    Report
}

// best makes what pixels are decided from.
func (e *Encoded) best(ctx context.Context, classes []vocab.Class, s SegmentOptions) (*decision, error) {
	report := e.report()
	t, err := e.model.techniquesOf(&s)
	if err != nil {
		return nil, err
	}
	report.Quality = e.model.qualityOf(t, s.Quality)
	auto, fitted := e.model.eval.Threshold, Fit{}
	if fit, ok := e.model.calibration.fit(t); ok {
		auto, fitted = fit.Threshold, fit
	}
	if e.model.alone(classes, s.Background) {
		t.Contrast, t.Cut = true, cmp.Or(t.Cut, aloneCut)
		auto = aloneThreshold
	}
	report.Techniques = t.String()
	a, err := e.ask(ctx, classes, s, t, auto, &report)
	if err != nil {
		return nil, err
	}
	a.sharpness = cmp.Or(s.Sharpness, fitted.Sharpness, a.sharpness)
	evidence, err := e.evidence(ctx, a, t)
	if err != nil {
		return nil, err
	}
	planes := evidence.Probabilities(a.sharpness, a.takes)
	if err := e.refine(ctx, planes, t); err != nil {
		return nil, err
	}
	if t.Cut > 0 {
		planes.Cut(t.Cut)
	}
	return &decision{a, evidence, planes, a.threshold, report}, ctx.Err()
}

// qualityOf names a choice of techniques, by what was asked where that does the same;
// "" where it is nobody's.
func (m *Model) qualityOf(t Techniques, asked Quality) Quality {
	for _, q := range append([]Quality{cmp.Or(asked, BestQuality)}, Qualities()...) {
		if m.Techniques(q).String() == t.String() {
			return q
		}
	}
	return ""
}

// evidence gathers what the views say, up to probabilities.
func (e *Encoded) evidence(ctx context.Context, a asked, t Techniques) (*assign.Evidence, error) {
	m, v := e.model, e.view
	fine := 2 // places of the canvas a token
	if segmentKinds[t.Segments] != assign.SoftSegments {
		fine = 4
	}
	p := m.config.PatchSize
	r := assign.Reading{
		From: m.source(), Segments: segmentKinds[t.Segments],
		Width: min(max(fine*(v.SeenWidth/p), 1), v.SeenWidth), Height: min(max(fine*(v.SeenHeight/p), 1), v.SeenHeight),
	}
	evidence, err := assign.Gather(ctx, e.views, a.words, r)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, m.name, err)
	}
	return evidence, nil
}

// pamrDilations are the first four of PAMR's authors' six: the last two cost a third
// of the time.
var pamrDilations = []int{1, 2, 4, 8}

// refine puts borders where the photo has edges.
func (e *Encoded) refine(ctx context.Context, planes *assign.Planes, t Techniques) error {
	c := e.canvas
	if c == nil || !t.refines() {
		return nil
	}
	planes.Resize(c.width, c.height)
	if t.PAMR > 0 {
		if err := (assign.PAMR{Iterations: t.PAMR, Dilations: pamrDilations}).Refine(ctx, planes, c.picture); err != nil {
			return err
		}
	}
	if t.Superpixels > 0 {
		return planes.Vote(ctx, c.superpixels(t))
	}
	return nil
}
