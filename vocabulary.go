package groupvit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/vocab"
)

// prompts are the texts that stand for a name.
type prompts struct {
	// forms are templates for any name.
	forms modelfile.Templates
	// stuffForms, if there are any, are those for the names in stuff: "the
	// grass", where a thing is "a ball".
	stuffForms modelfile.Templates
	stuff      []string
}

// namedPrompts are one set of templates for every name.
func namedPrompts(set string) (prompts, error) {
	forms, err := modelfile.NamedTemplates(set)
	if err != nil {
		return prompts{}, fmt.Errorf("%w: %w", ErrOption, err)
	}
	return prompts{forms: forms}, nil
}

// of returns a name's texts.
func (p prompts) of(name string) []string {
	isStuff := func(w string) bool { return strings.EqualFold(w, name) }
	if !p.stuffForms.IsZero() && slices.ContainsFunc(p.stuff, isStuff) {
		return vocab.FillAll(p.stuffForms.Forms, name)
	}
	return vocab.FillAll(p.forms.Forms, name)
}

// nameVectors returns a unit vector [P] a name for a query, by its prompts or the
// protocol's; raw is that of [Model.vectors].
func (e *Encoded) nameVectors(ctx context.Context, q *query, r *Report, names []string, raw bool) ([]float32, error) {
	p, err := e.method.prompts(e.model)
	if q.Templates != "" {
		p, err = namedPrompts(q.Templates)
	}
	if err != nil {
		return nil, err
	}
	r.Templates = p.forms.Name
	return e.model.vectors(ctx, names, p, raw)
}

// firstNames is nameVectors of each label's own name, for protocols that know no
// synonyms.
func (e *Encoded) firstNames(ctx context.Context, q *query, r *Report, raw bool) ([]float32, error) {
	names := make([]string, len(q.classes))
	for i, c := range q.classes {
		names[i] = c.Name
	}
	return e.nameVectors(ctx, q, r, names, raw)
}

// vectors returns a unit vector [P] a name: the mean over its prompts of unit vectors,
// or, with raw, of the projected vectors themselves, as the paper's code does for
// classification.
func (m *Model) vectors(ctx context.Context, names []string, forms prompts, raw bool) ([]float32, error) {
	var texts []string
	ends := make([]int, len(names)) // of each name's texts
	for i, n := range names {
		texts = append(texts, forms.of(n)...)
		ends[i] = len(texts)
	}
	encoded, err := m.towers.Texts(ctx, texts)
	if err != nil {
		return nil, err
	}
	p, at := m.config.EmbedWidth, 0
	out := make([]float32, len(names)*p)
	for i, end := range ends {
		mean := out[i*p : (i+1)*p]
		for _, v := range encoded[at:end] {
			if !raw {
				v = slices.Clone(v)
				assign.Normalize(v, p)
			}
			for k := range mean {
				mean[k] += v[k] / float32(end-at)
			}
		}
		at = end
	}
	assign.Normalize(out, p)
	return out, nil
}

// trainedWords are the words that a model was trained to find where it learnt
// from a list: each stands for its synonyms. The zero value knows nothing.
type trainedWords struct {
	list *nouns.WordList
	// all are the words themselves, in their order; lines have their synonyms behind them.
	all   []string
	lines [][]string
}

func newTrainedWords(lines [][]string) (trainedWords, error) {
	t := trainedWords{lines: lines}
	if len(lines) == 0 {
		return t, nil
	}
	var words []nouns.Word
	for _, names := range lines {
		words = append(words, nouns.Word{Name: names[0], Synonyms: names[1:]})
		t.all = append(t.all, names[0])
	}
	var err error
	t.list, err = nouns.List(words)
	return t, err
}

// names returns the names to use for each class: where the model knows a word
// for it, that word alone ("person" for people and man), else its own names. Of
// classes that share a word ("man", "woman") each keeps its own names.
func (t trainedWords) names(classes []vocab.Class) [][]string {
	out := make([][]string, len(classes))
	owners := map[string]int{} // of each known word, the number of classes
	for i, c := range classes {
		for _, n := range c.Names() {
			if w, ok := t.find(n); ok && !slices.Contains(out[i], w) {
				out[i] = append(out[i], w)
				owners[w]++
			}
		}
	}
	for i, c := range classes {
		shared := func(w string) bool { return owners[w] > 1 }
		if len(out[i]) == 0 || slices.ContainsFunc(out[i], shared) {
			out[i] = c.Names()
		}
	}
	return out
}

func (t trainedWords) find(name string) (string, bool) {
	if t.list == nil {
		return "", false
	}
	w, ok := t.list.Find(name)
	return w.Name, ok
}

// rareBelow: a word that fewer training captions had than this is rare.
const rareBelow = 10

// RareWord is a label that is rare in a model's training data.
type RareWord struct {
	Label string `json:"label"`
	// Captions is how many of training had its most frequent name.
	Captions int `json:"captions"`
	// Near are words that the model knows and takes for the likest.
	Near []string `json:"near,omitempty"`
}

// nearWords is how many of them are told.
const nearWords = 3

// rare are the labels that are rare in the training data; what a label's word in the
// model's own list counts is the word's.
func (m *Model) rare(ctx context.Context, classes []vocab.Class) ([]RareWord, error) {
	if m.counts == nil || m.counts.Least() > rareBelow {
		return nil, nil
	}
	var list []RareWord
	for i, names := range m.usage.words.names(classes) {
		most := 0
		for _, n := range append(names, classes[i].Names()...) {
			most = max(most, m.counts.Of(n))
		}
		if most < rareBelow {
			near, err := m.near(ctx, classes[i].Name, nearWords)
			if err != nil {
				return nil, err
			}
			list = append(list, RareWord{Label: classes[i].Name, Captions: most, Near: near})
		}
	}
	return list, nil
}
