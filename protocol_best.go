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
//   - The cosines of all passes lie on one canvas over the photo. A label's probability
//     at a pixel is its share of a softmax over the label and the background vocabulary,
//     so that other labels do not change it.
//   - Regions of like colour vote, so that borders lie where the photo has edges.
//   - A pixel belongs to its most probable label, and is background where that is less
//     probable than the threshold. So one label and many have one rule, and a label that
//     is not in the photo hardly moves the region of one that is.
//   - Where the model's background rule is "words", the softmax is over all labels too,
//     and a pixel that a background word wins is background.
type best struct{ plain }

func (best) traits() traits {
	return traits{techniques: true, probabilities: true, naming: vocab.Synonyms}
}

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

// bestScores are what pixels are decided from, and what that was made of.
type bestScores struct {
	e *Encoded
	// words are the labels' and the background vocabulary's, names by row.
	words assign.Words
	names []string
	// background are the words of the background vocabulary; none without background.
	background []string
	evidence   *assign.Evidence
	planes     *assign.Planes
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
	r.Techniques = t.String()
	s := &bestScores{e: e, threshold: q.Background.resolve(auto)}
	if err := s.query(ctx, q, t, r); err != nil {
		return nil, err
	}
	if err := s.read(ctx, t); err != nil {
		return nil, err
	}
	sharpness := cmp.Or(q.Sharpness, fitted.Sharpness, m.Sharpness())
	if own := s.ownWords(q.classes); m.usage.byProbability && own != nil {
		s.planes = s.evidence.Against(sharpness, own)
	} else {
		s.planes = s.evidence.Probabilities(sharpness, !m.usage.byProbability)
	}
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
		s.background = m.backgroundVocabulary(t.Contrast)
		if !m.usage.byProbability { // they win pixels, which are not to be a label's
			s.background = withoutLabels(s.background, q.classes, s.names)
		}
		s.names = append(s.names, s.background...)
		s.words.Owner = append(s.words.Owner, make([]uint16, len(s.background))...)
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
func (m *Model) backgroundVocabulary(contrast bool) []string {
	words := slices.Clone(m.usage.background)
	if contrast {
		for _, w := range m.usage.words.all {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	return words
}

// withoutLabels leaves out words that mean a class or are among the names used for it.
func withoutLabels(words []string, classes []vocab.Class, names []string) []string {
	return vocab.WithoutLabels(vocab.WithoutLabels(words, classes), []vocab.Class{{Synonyms: names}})
}

// ownWords says, by label and word of the background vocabulary, which words mean the
// label and so do not compete with it; nil without a background vocabulary.
func (s *bestScores) ownWords(classes []vocab.Class) [][]bool {
	if len(s.background) == 0 {
		return nil
	}
	own := make([][]bool, len(classes))
	for i, c := range classes {
		var names []string
		for row, owner := range s.words.Owner {
			if int(owner) == i+1 {
				names = append(names, s.names[row])
			}
		}
		others := withoutLabels(s.background, []vocab.Class{c}, names)
		own[i] = make([]bool, len(s.background))
		for b, w := range s.background {
			own[i][b] = !slices.Contains(others, w)
		}
	}
	return own
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
