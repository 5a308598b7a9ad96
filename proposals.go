package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/nouns"
)

// Word is an entry of a model's vocabulary.
type Word struct {
	Name string `json:"name"`
	// Synonyms mean the same to the model, most frequent first or as its list has them.
	Synonyms []string `json:"synonyms,omitempty"`
	// Scenery tells ground, scenery and rooms from things.
	Scenery bool `json:"scenery,omitempty"`
	// Captions is how often captions of training had the name or a synonym of one word;
	// 0 where the model has no counts.
	Captions int `json:"captions,omitempty"`
}

// Vocabulary returns the words that [Encoded.Propose] chooses among, in the order of
// the model's list: those that it was trained to find, and its words of scenery. trained
// is false where a model has no list of its own; then they are a built-in list of
// everyday words.
func (m *Model) Vocabulary() (words []Word, trained bool) {
	v := &m.vocabulary
	v.list.Do(func() { v.words, v.trained = m.listWords() })
	return slices.Clone(v.words), v.trained
}

func (m *Model) listWords() (words []Word, trained bool) {
	trained = len(m.usage.words.all) > 0
	if !trained {
		for _, w := range nouns.Builtin() {
			if w.Kind != nouns.Body {
				words = append(words, Word{Name: w.Name, Synonyms: w.Synonyms, Scenery: w.Kind == nouns.Stuff})
			}
		}
	}
	for _, names := range m.usage.words.lines {
		words = append(words, Word{Name: names[0], Synonyms: names[1:], Scenery: slices.Contains(m.usage.background, names[0])})
	}
	for i := range words {
		words[i].Captions = m.captions(words[i])
	}
	return words, trained
}

// captions counts those of a word. Phrases are left out but as names, since counts are of
// single words.
func (m *Model) captions(w Word) int {
	if m.counts == nil {
		return 0
	}
	n := m.counts.Of(w.Name)
	for _, s := range w.Synonyms {
		if !strings.Contains(s, " ") {
			n += m.counts.Of(s)
		}
	}
	return n
}

// Proposal is a word that a model proposes for a photo.
type Proposal struct {
	Word string `json:"word"`
	// Score, 0 to 1, is the mean probability of the word among the whole vocabulary
	// where it is most probable: on a tenth of the photo.
	Score float64 `json:"score"`
	// Scenery tells ground, scenery and rooms from things.
	Scenery bool `json:"scenery,omitempty"`
}

// ProposeOptions are those of [Encoded.Propose]; the zero value is the standard.
type ProposeOptions struct {
	// Top is the largest number of words; 0 is [DefaultTop].
	Top int
	// Least is the score that a word must reach, 0 to 1; 0 is [DefaultLeast].
	Least float64
}

// Defaults of [ProposeOptions]. DefaultLeast was chosen on every other of 429 photos
// of VOC and COCO (docs/experiments.md, "Words that the model proposes").
const (
	DefaultTop   = 8
	DefaultLeast = 0.2
)

// Propose names what the model sees in the photo: words of its vocabulary, the surest
// first; the surest one in any case. All words compete at each place of the photo; a word's score is its mean
// probability over the tenth of the places where it is most probable, so that it counts
// how surely something is seen and not only how large it is.
//
// Errors wrap [ErrOption], [ErrTooLarge], [ErrModel] or ctx's.
func (e *Encoded) Propose(ctx context.Context, o *ProposeOptions) ([]Proposal, error) {
	if o == nil {
		o = &ProposeOptions{}
	}
	top, least := cmp.Or(o.Top, DefaultTop), cmp.Or(o.Least, DefaultLeast)
	if top < 1 || top > maxProposals || !(least >= 0 && least <= 1) {
		return nil, fmt.Errorf("%w: %d words with a score of %g or more, allowed are 1 to %d words and 0 to 1", ErrOption, top, least, maxProposals)
	}
	all, err := e.wordScores(ctx)
	if err != nil {
		return nil, err
	}
	n := 1
	for n < min(top, len(all)) && all[n].Score >= least {
		n++
	}
	return all[:n], nil
}

// maxProposals leaves room in what a query may ask.
const maxProposals = 100

// wordScores scores every word of the vocabulary, the surest first.
func (e *Encoded) wordScores(ctx context.Context) ([]Proposal, error) {
	m, v := e.model, e.view()
	words, _ := m.Vocabulary()
	vectors, err := m.vocabularyVectors(ctx)
	if err != nil {
		return nil, err
	}
	asked := assign.Words{Labels: len(words), Width: m.config.EmbedWidth, Vectors: vectors, Owner: make([]uint16, len(words))}
	for i := range asked.Owner {
		asked.Owner[i] = uint16(i + 1)
	}
	p := m.config.PatchSize
	evidence, err := assign.Gather(ctx, e.views, asked, assign.Reading{
		From: m.source(), Width: max(v.SeenWidth/p, 1), Height: max(v.SeenHeight/p, 1),
	})
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, m.name, err)
	}
	planes := evidence.Probabilities(m.Sharpness(), false)
	out := make([]Proposal, len(words))
	for i, w := range words {
		out[i] = Proposal{Word: w.Name, Score: topTenth(planes.Labels[i]), Scenery: w.Scenery}
	}
	slices.SortStableFunc(out, func(a, b Proposal) int { return cmp.Compare(b.Score, a.Score) })
	return out, ctx.Err()
}

// topTenth is the mean of the largest tenth of values, at least of one.
func topTenth(values []float32) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := max(len(sorted)/10, 1)
	sum := 0.0
	for _, v := range sorted[len(sorted)-n:] {
		sum += float64(v)
	}
	return sum / float64(n)
}

// vocabularyVectors are the unit vectors of the vocabulary's words, computed once.
func (m *Model) vocabularyVectors(ctx context.Context) ([]float32, error) {
	m.vocabulary.Lock()
	defer m.vocabulary.Unlock()
	if m.vocabulary.vectors != nil {
		return m.vocabulary.vectors, nil
	}
	words, _ := m.Vocabulary()
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = w.Name
	}
	vectors, err := m.vectors(ctx, names, m.usage.prompts, false)
	if err != nil {
		return nil, err
	}
	m.vocabulary.vectors = vectors
	return vectors, nil
}

// near are the words of the vocabulary with 10 captions or more whose vectors are
// nearest a name's, the nearest first.
func (m *Model) near(ctx context.Context, name string, n int) ([]string, error) {
	vectors, err := m.vocabularyVectors(ctx)
	if err != nil {
		return nil, err
	}
	own, err := m.vectors(ctx, []string{name}, m.usage.prompts, false)
	if err != nil {
		return nil, err
	}
	type neighbour struct {
		word   string
		cosine float64
	}
	var all []neighbour
	words, trained := m.Vocabulary()
	width := len(own)
	for i, w := range words {
		if trained && w.Captions < rareBelow {
			continue
		}
		cosine := 0.0
		for k, x := range vectors[i*width : (i+1)*width] {
			cosine += float64(x) * float64(own[k])
		}
		if math.IsNaN(cosine) {
			continue
		}
		all = append(all, neighbour{w.Name, cosine})
	}
	slices.SortStableFunc(all, func(a, b neighbour) int { return cmp.Compare(b.cosine, a.cosine) })
	var out []string
	for _, a := range all[:min(n, len(all))] {
		out = append(out, a.word)
	}
	return out, nil
}

// SegmentAuto labels the regions of a photo by the words that the model proposes
// ([Encoded.Propose]): Labels of the answer are those words, the surest first.
//
// Errors are those of [Model.Segment].
func (m *Model) SegmentAuto(ctx context.Context, photo image.Image, p *ProposeOptions, o *SegmentOptions) (*Segmentation, error) {
	if o == nil {
		o = &SegmentOptions{}
	}
	e, err := m.Encode(ctx, photo, &o.EncodeOptions)
	if err != nil {
		return nil, err
	}
	return e.SegmentAuto(ctx, p, &o.QueryOptions)
}

// SegmentAuto answers as [Model.SegmentAuto] does.
func (e *Encoded) SegmentAuto(ctx context.Context, p *ProposeOptions, o *QueryOptions) (*Segmentation, error) {
	proposed, err := e.Propose(ctx, p)
	if err != nil {
		return nil, err
	}
	labels := make([]string, len(proposed))
	for i, w := range proposed {
		labels[i] = w.Word
	}
	s, err := e.Segment(ctx, labels, o)
	if err == nil {
		s.Proposed = proposed
	}
	return s, err
}

// Find returns the word of the vocabulary that a name means, "person" for "people".
func (m *Model) Find(name string) (string, bool) { return m.usage.words.find(name) }
