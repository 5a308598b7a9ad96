package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// best is this project's protocol. The model's eval.json says how it is used:
//
//   - The photo is encoded at the model's size, as Pillow's bilinear resizes, and at
//     the best quality in a second pass; see [Model.Techniques].
//   - A label is the word that the model was trained to find for it, else its own names,
//     each by the model's prompts. The background vocabulary competes with the labels.
//   - The cosines of all passes lie on one canvas over the photo; a pixel's
//     probabilities are a softmax over labels and background vocabulary.
//   - Regions of like colour vote, so that borders lie where the photo has edges.
//   - A pixel whose best label is less probable than the threshold is background, and
//     so is one that a background word wins, where the model has that rule.
type best struct{ plain }

func (best) traits() traits { return traits{probabilities: true, naming: vocab.Synonyms} }

func (best) rule(m *Model, _ string, shortSide int) (assign.Rule, error) {
	return m.withShortSide(m.usage.rule, shortSide, true)
}

func (best) techniques(m *Model, o *EncodeOptions) (Techniques, error) {
	if _, err := ParseQuality(string(o.Quality)); err != nil {
		return Techniques{}, err
	}
	if o.Techniques == nil {
		return ParseTechniques(o.With, m.Techniques(o.Quality))
	}
	return *o.Techniques, o.Techniques.check()
}

func (best) prompts(m *Model) (prompts, error) { return m.usage.prompts, nil }

func (best) planes(e *Encoded, classes []vocab.Class) int {
	return len(classes) + len(e.model.usage.background) + len(e.model.usage.words.all)
}

func (best) score(ctx context.Context, e *Encoded, q *query, r *Report) (scored, error) {
	return e.bestScores(ctx, q, r)
}

// plain is what protocols share that change nothing of it.
type plain struct{}

func (plain) techniques(*Model, *EncodeOptions) (Techniques, error) { return Techniques{}, nil }

func (plain) read(im *imaging.Image, width, height int) (*imaging.Image, error) {
	return imaging.ResizePIL(im, width, height, imaging.Bilinear)
}

func (plain) normalization(m *Model) (mean, std [3]float32) { return m.weights.Mean, m.weights.Std }

func (plain) note(*Model, string, assign.Rule) string { return "" }

// One label among all words that a model knows: there are many of them, and a thing's
// own word seldom has a third of the probability. So it has a low threshold, and must
// be a share as probable as where the photo has most of it, lest a word that is there
// covers what is only a little like it. Both were chosen on the even ones of 240 photos
// of VOC, for words that are there, while an absent one covers less than 5 % in the
// median (eval presence --half even); docs/experiments.md has the odd ones.
const (
	singleThreshold = 0.02
	singleCut       = 0.3
)

// singleLabel reports whether a query is for one label of a model that learnt from a
// list of words, by a rule of its own. That label competes with all of the list, and
// what it has in the photo as a whole says nothing, as there is no other to prefer it to.
func (m *Model) singleLabel(q *query) bool {
	return len(q.classes) == 1 && len(m.usage.words.all) > 0 && m.usage.byProbability && q.Background.mode != backgroundOff
}

// bestScores are what pixels are decided from, and what that was made of.
type bestScores struct {
	e *Encoded
	// words are the labels' and the background vocabulary's, names by row.
	words    assign.Words
	names    []string
	evidence *assign.Evidence
	planes   *assign.Planes
	// threshold is the one in force; NaN for no background.
	threshold float64
}

func (e *Encoded) bestScores(ctx context.Context, q *query, r *Report) (*bestScores, error) {
	m, t := e.model, e.techniques
	r.Quality = m.qualityOf(t, e.quality)
	auto, fitted := m.usage.threshold, modelfile.Fit{}
	if fit, ok := m.calibration.Fit(t.String()); ok {
		auto, fitted = fit.Threshold, fit
	}
	if m.singleLabel(q) {
		t.Contrast, t.Cut = true, cmp.Or(t.Cut, singleCut)
		auto = singleThreshold
	}
	r.Techniques = t.String()
	s := &bestScores{e: e, threshold: q.Background.resolve(auto)}
	if err := s.query(ctx, q, t, r); err != nil {
		return nil, err
	}
	if err := s.read(ctx, t); err != nil {
		return nil, err
	}
	sharpness := cmp.Or(q.Sharpness, fitted.Sharpness, m.Sharpness())
	s.planes = s.evidence.Probabilities(sharpness, !m.usage.byProbability)
	if err := e.refine(ctx, s.planes, t); err != nil {
		return nil, err
	}
	if t.Cut > 0 {
		s.planes.Cut(t.Cut)
	}
	return s, ctx.Err()
}

// query makes the words' vectors.
func (s *bestScores) query(ctx context.Context, q *query, t Techniques, r *Report) (err error) {
	m := s.e.model
	s.words = assign.Words{Labels: len(q.classes), Width: m.config.EmbedWidth}
	for i, own := range m.usage.words.names(q.classes) {
		for _, n := range own {
			s.names, s.words.Owner = append(s.names, n), append(s.words.Owner, uint16(i+1))
		}
	}
	r.Background = "off"
	if !math.IsNaN(s.threshold) {
		r.Background = m.backgroundText(s.threshold)
		background := m.backgroundVocabulary(q.classes, s.names, t.Contrast)
		s.names = append(s.names, background...)
		s.words.Owner = append(s.words.Owner, make([]uint16, len(background))...)
	}
	s.words.Vectors, err = s.e.nameVectors(ctx, q, r, s.names, false)
	return err
}

func (m *Model) backgroundText(threshold float64) string {
	text := modelfile.ByWords
	if m.usage.byProbability {
		text = modelfile.ByProbability
	}
	if threshold > 0 {
		text += fmt.Sprintf(", %g", threshold)
	}
	return text
}

// backgroundVocabulary are the words that compete with labels and name nothing: those
// of ground and scenery, and with contrast all that the model was trained to find.
// What means a label, or is one of its names, is left out.
func (m *Model) backgroundVocabulary(classes []vocab.Class, names []string, contrast bool) []string {
	words := slices.Clone(m.usage.background)
	if contrast {
		for _, w := range m.usage.words.all {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	own := []vocab.Class{{Synonyms: names}}
	return vocab.WithoutLabels(vocab.WithoutLabels(words, classes), own)
}

// read gathers what the views say of the words.
func (s *bestScores) read(ctx context.Context, t Techniques) (err error) {
	m, v := s.e.model, s.e.view()
	fine := 2 // places of the canvas a token
	if segmentKinds[t.Segments] != assign.SoftSegments {
		fine = 4
	}
	p := m.config.PatchSize
	s.evidence, err = assign.Gather(ctx, s.e.views, s.words, assign.Reading{
		From: m.source(), Segments: segmentKinds[t.Segments],
		Width: min(max(fine*(v.SeenWidth/p), 1), v.SeenWidth), Height: min(max(fine*(v.SeenHeight/p), 1), v.SeenHeight),
	})
	if err != nil {
		return fmt.Errorf("%w %s: %w", ErrModel, m.name, err)
	}
	return nil
}

// pamrDilations are the first four of PAMR's authors' six: the last two cost a third
// of the time.
var pamrDilations = []int{1, 2, 4, 8}

// refine puts borders where the photo has edges.
func (e *Encoded) refine(ctx context.Context, planes *assign.Planes, t Techniques) error {
	c := e.canvas
	if c == nil {
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

func (s *bestScores) decide(ctx context.Context, width, height int, keep bool) (*decided, error) {
	pixels, err := s.planes.Pixels(ctx, width, height, false)
	if err != nil {
		return nil, err
	}
	d := &decided{pixels: pixels.Map(s.threshold), threshold: s.threshold, planes: s.planes}
	if math.IsNaN(s.threshold) {
		d.pixels.Labels, d.threshold = pixels.Best, 0
	}
	d.means = pixels.Means(d.pixels, len(s.planes.Labels))
	if keep {
		d.scores, err = s.planes.Scores(ctx, width, height)
	}
	return d, err
}

func (s *bestScores) sweep(ctx context.Context, thresholds []float64) ([]*mask.Map, error) {
	pixels, err := s.planes.Pixels(ctx, s.e.view().Width, s.e.view().Height, false)
	if err != nil {
		return nil, err
	}
	maps := make([]*mask.Map, len(thresholds))
	for i, t := range thresholds {
		maps[i] = pixels.Map(t)
	}
	return maps, nil
}
