package pairs

import (
	"slices"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/vocab"
)

// person is the word whose absence no tag tells: people ride horses and sail
// boats in photos that are tagged with the horse or the boat.
const person = "person"

// words fills in a batch's captions, prompts, targets and what is known.
func (l *Loader) words(b *Batch, drawn []*loaded) {
	t := l.options.Tokenizer
	b.CaptionWeight = make([]float32, b.Size)
	for i, s := range drawn {
		d := roll(l.options.Seed, forCaption, l.place(b.Step, i))
		caption := s.captions[d.intn(len(s.captions))]
		b.Keys = append(b.Keys, s.key)
		b.Texts = append(b.Texts, caption)
		if l.options.Captions {
			b.Captions = append(b.Captions, t.Encode(caption, b.Context)...)
		}
		if !l.masked(s) {
			b.CaptionWeight[i] = 1
		}
	}
	switch {
	case l.finder == nil:
	case l.options.Nouns.Distinct:
		l.distinctPrompts(b, drawn)
	default:
		l.ownPrompts(b, drawn)
	}
}

// masked says whether only tags are known of a photo.
func (l *Loader) masked(s *loaded) bool {
	return len(s.tags) > 0 && !l.options.TaggedAsCaptions
}

// ownPrompts gives every picture K prompts of its own, as the paper's code does:
// min(K, count) of its caption's nouns without replacement, each in a random
// template, then the caption itself as often as prompts are missing.
func (l *Loader) ownPrompts(b *Batch, drawn []*loaded) {
	k := l.options.Nouns.K
	b.U = b.Size * k
	b.Targets, b.Known = make([]float32, b.Size*b.U), make([]float32, b.Size*b.U)
	for i := range drawn {
		d := roll(l.options.Seed, forNouns, l.place(b.Step, i))
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
			b.Targets[i*b.U+i*k+p] = 1
		}
	}
	l.known(b, drawn)
	l.explains(b, drawn)
}

// distinctPrompts gives every noun of the batch one prompt.
func (l *Loader) distinctPrompts(b *Batch, drawn []*loaded) {
	options := l.options.Nouns
	columns := map[string]int{}
	counts := make([][]int, len(drawn)) // columns of each picture, with repetition
	for i, s := range drawn {
		for _, noun := range l.drawNouns(b, i, s) {
			u, ok := columns[noun]
			if !ok {
				u = len(columns)
				columns[noun] = u
				b.Nouns = append(b.Nouns, noun)
				d := roll(l.options.Seed, forTemplate, uint64(b.Step), hash(noun))
				b.Prompts = append(b.Prompts, l.options.Tokenizer.Encode(vocab.Fill(l.template(d, noun), noun), b.Context)...)
			}
			counts[i] = append(counts[i], u)
		}
	}
	b.U = max(1, (len(columns)+options.Pad-1)/options.Pad) * options.Pad
	padding := l.options.Tokenizer.Encode("", b.Context)
	for len(b.Nouns) < b.U {
		b.Nouns = append(b.Nouns, "")
		b.Prompts = append(b.Prompts, padding...)
	}
	b.Targets, b.Known = make([]float32, b.Size*b.U), make([]float32, b.Size*b.U)
	for i, us := range counts {
		for _, u := range us {
			b.Targets[i*b.U+u]++
		}
	}
	l.known(b, drawn)
	l.explains(b, drawn)
}

// drawNouns returns the nouns of picture i: all of all its captions, once each,
// or K of the caption drawn, some of them again where it has fewer.
func (l *Loader) drawNouns(b *Batch, i int, s *loaded) []string {
	k := l.options.Nouns.K
	if k == 0 {
		var all []string
		for _, caption := range s.captions {
			for _, noun := range l.finder.Nouns(caption) {
				if !slices.Contains(all, noun) {
					all = append(all, noun)
				}
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
	d := roll(l.options.Seed, forNouns, l.place(b.Step, i))
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
func (l *Loader) template(d *dice, noun string) string {
	forms := l.options.Nouns.Templates
	if len(l.options.Nouns.StuffTemplates) > 0 && l.list != nil {
		if w, ok := l.list.Word(noun); ok && w.Kind == nouns.Stuff {
			forms = l.options.Nouns.StuffTemplates
		}
	}
	return forms[d.intn(len(forms))]
}

// known says of each picture and prompt whether it is known that they belong
// together or not. Of a tagged photo its own words are known, and what its tag
// tells to be absent.
func (l *Loader) known(b *Batch, drawn []*loaded) {
	for i, s := range drawn {
		row, targets := b.Known[i*b.U:(i+1)*b.U], b.Targets[i*b.U:(i+1)*b.U]
		masked, ofThing := l.masked(s), false
		for u, n := range targets {
			ofThing = ofThing || n > 0 && l.isThing(b.Nouns[u])
		}
		for u := range row {
			if !masked || targets[u] > 0 || l.absent(b.Nouns[u], ofThing) {
				row[u] = 1
			}
		}
	}
}

// explains says which words may explain a part of a picture: those of all of its
// captions, whichever were drawn.
func (l *Loader) explains(b *Batch, drawn []*loaded) {
	b.Explains = make([]float32, len(b.Targets))
	for i, s := range drawn {
		named, grounded := map[string]bool{}, false
		for _, caption := range s.captions {
			for _, noun := range l.finder.Nouns(caption) {
				named[noun] = true
				grounded = grounded || l.isStuff(noun)
			}
		}
		for u, noun := range b.Nouns {
			if named[noun] || !grounded && l.isStuff(noun) {
				b.Explains[i*b.U+u] = 1
			}
		}
	}
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
