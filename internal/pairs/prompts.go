package pairs

import (
	"slices"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/vocab"
)

// person is the word whose absence no tag tells: people ride horses and sail
// boats in photos that are tagged with the horse or the boat.
const person = "person"

// words fills in a batch's captions and prompts, and returns what its matrices are
// made of, nil without prompts.
func (l *Loader) words(b *Batch, drawn []*loaded, seen []*cells) *rows {
	t := l.options.Tokenizer
	b.CaptionWeight = make([]float32, b.Size)
	for i, s := range drawn {
		d := newRNG(l.options.Seed, forCaption, l.streamIndex(b.Step, i))
		caption := s.captions[d.intn(len(s.captions))]
		b.Keys = append(b.Keys, s.key)
		b.Texts = append(b.Texts, caption)
		if l.options.Captions {
			b.Captions = append(b.Captions, t.Encode(caption, b.Context)...)
		}
		if !l.masked(s) && (seen == nil || !seen[i].mixed) {
			b.CaptionWeight[i] = 1
		}
	}
	if l.finder == nil {
		return nil
	}
	r := &rows{loader: l, drawn: drawn, cells: seen, prompts: make([][]int32, b.Size)}
	if l.options.Nouns.Distinct {
		columns := l.distinctPrompts(b, r)
		if seen != nil {
			r.label(b, columns)
		}
	} else {
		l.ownPrompts(b, r)
	}
	return r
}

// masked reports whether only tags are known of a photo.
func (l *Loader) masked(s *loaded) bool {
	return s.templated && !l.options.TaggedAsCaptions
}

// ownPrompts gives every picture K prompts of its own, as the paper's code does:
// min(K, count) of its caption's nouns without replacement, each in a random
// template, then the caption itself as often as prompts are missing.
func (l *Loader) ownPrompts(b *Batch, r *rows) {
	k := l.options.Nouns.K
	b.U = b.Size * k
	for i := range b.Size {
		d := newRNG(l.options.Seed, forNouns, l.streamIndex(b.Step, i))
		found := slices.Clone(l.finder.Nouns(b.Texts[i]))
		shuffle(d, found)
		for p := range k {
			text, noun := b.Texts[i], ""
			if p < len(found) {
				noun = found[p]
				text = vocab.Fill(l.template(d, noun), noun)
			}
			b.Prompts = append(b.Prompts, l.options.Tokenizer.Encode(text, b.Context)...)
			b.Nouns = append(b.Nouns, noun)
			r.prompts[i] = append(r.prompts[i], int32(i*k+p))
		}
	}
}

// distinctPrompts gives every noun of the batch one prompt, and words and classes of
// label maps, and further ones up to the least number. It returns their columns.
func (l *Loader) distinctPrompts(b *Batch, r *rows) map[string]int {
	options := l.options.Nouns
	columns := map[string]int{}
	column := func(noun string) int {
		u, ok := columns[noun]
		if !ok {
			u = len(columns)
			columns[noun] = u
			b.Nouns = append(b.Nouns, noun)
			d := newRNG(l.options.Seed, forTemplate, uint64(b.Step), hash(noun))
			b.Prompts = append(b.Prompts, l.options.Tokenizer.Encode(vocab.Fill(l.template(d, noun), noun), b.Context)...)
		}
		return u
	}
	for i, s := range r.drawn {
		if r.mixed(i) {
			continue
		}
		for _, noun := range l.drawNouns(b, i, s) {
			r.prompts[i] = append(r.prompts[i], int32(column(noun)))
		}
	}
	for _, c := range r.cells {
		for _, s := range c.samples {
			for _, word := range s.labelWords() {
				column(l.name(word))
			}
			for _, word := range s.labelClasses() {
				if word != vocab.Background {
					column(l.name(word))
				}
			}
		}
	}
	if options.Least > len(columns) {
		words := slices.Clone(l.list.Words())
		shuffle(newRNG(l.options.Seed, forExtraNouns, uint64(b.Step)), words)
		for _, w := range words {
			if len(columns) < options.Least {
				column(w.Name)
			}
		}
	}
	b.U = max(1, (len(columns)+options.Pad-1)/options.Pad) * options.Pad
	padding := l.options.Tokenizer.Encode("", b.Context)
	for len(b.Nouns) < b.U {
		b.Nouns = append(b.Nouns, "")
		b.Prompts = append(b.Prompts, padding...)
	}
	return columns
}

// drawNouns returns the nouns of picture i: all of all its captions and tags, once each,
// or K of the caption drawn, some of them again where it has fewer.
func (l *Loader) drawNouns(b *Batch, i int, s *loaded) []string {
	k := l.options.Nouns.K
	if k == 0 {
		var all []string
		for _, noun := range l.named(s) {
			if !slices.Contains(all, noun) {
				all = append(all, noun)
			}
		}
		return all
	}
	var found []string
	for _, noun := range l.finder.Nouns(b.Texts[i]) {
		if !slices.Contains(found, noun) {
			found = append(found, noun)
		}
	}
	d := newRNG(l.options.Seed, forNouns, l.streamIndex(b.Step, i))
	shuffle(d, found)
	own := len(found)
	if own > k {
		return found[:k]
	}
	for own > 0 && len(found) < k {
		found = append(found, found[d.intn(own)])
	}
	return found
}

// template draws the form of a noun's prompt.
func (l *Loader) template(d *rng, noun string) string {
	forms := l.options.Nouns.Templates
	if len(l.options.Nouns.StuffTemplates) > 0 && l.list != nil {
		if w, ok := l.list.Word(noun); ok && w.Kind == nouns.Stuff {
			forms = l.options.Nouns.StuffTemplates
		}
	}
	return forms[d.intn(len(forms))]
}

// absent says whether a tagged photo whose tag is not a word shows none of it. A
// photo of a thing shows no other thing, persons excepted. A photo of a scene
// may show any: it is only known that an animal would have been its subject.
func (l *Loader) absent(noun string, ofThing bool) bool {
	if l.list == nil || noun == person {
		return false
	}
	w, ok := l.list.Word(noun)
	return ok && (w.Kind == nouns.Class || w.Kind == nouns.Thing && ofThing)
}

func (l *Loader) isThing(noun string) bool { return l.isKind(noun, nouns.Class, nouns.Thing) }

func (l *Loader) isStuff(noun string) bool { return l.isKind(noun, nouns.Stuff) }

// isKind says whether the word list has a noun as one of these kinds.
func (l *Loader) isKind(noun string, kinds ...nouns.Kind) bool {
	if l.list == nil {
		return false
	}
	w, ok := l.list.Word(noun)
	return ok && slices.Contains(kinds, w.Kind)
}
