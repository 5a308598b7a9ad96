package pairs

import "github.com/groupvit/groupvit/internal/vocab"

// rows is what a batch's matrices of pictures and prompts are made of. They are
// large: B·U numbers each, with U three times B in the paper.
type rows struct {
	loader *Loader
	// prompts are each picture's, by their place, some more than once.
	prompts [][]int32
	// drawn are the samples; their pictures are not looked at.
	drawn []*loaded
	// cells are the pictures' label maps; nil without.
	cells []*cells
}

// mixed reports whether picture i is made of several samples, of which its captions
// say nothing.
func (r *rows) mixed(i int) bool { return r.cells != nil && r.cells[i].mixed }

// fill makes a batch's matrices.
func (r *rows) fill(b *Batch) {
	if r != nil {
		p := MicroBatch{Batch: b, rows: r}
		b.Targets, b.Known, b.Explains = p.Rows(0, b.Size)
		b.Competing = p.Competing(0, b.Size)
	}
}

// write fills in rows of Targets, Known and Explains, which are zeros.
func (r *rows) write(b *Batch, from, to int, targets, known, explains []float32) {
	for i := from; i < to; i++ {
		if r.mixed(i) {
			continue // nothing is known
		}
		row := func(x []float32) []float32 { return x[(i-from)*b.U : (i-from+1)*b.U] }
		own := row(targets)
		for _, u := range r.prompts[i] {
			own[u]++
		}
		r.loader.known(b, r.drawn[i], own, row(known))
		r.loader.explains(b, r.drawn[i], row(explains))
	}
}

// known says of each prompt whether it is known that it and a picture belong
// together or not. Of a tagged photo its own words are known, and what its tag
// tells to be absent; where a label map has classes of its own, its words and these.
func (l *Loader) known(b *Batch, s *loaded, targets, row []float32) {
	if s.lookedFor() {
		classes := l.classesOf(s.labels)
		for u, n := range targets {
			if n > 0 || classes[b.Nouns[u]] {
				row[u] = 1
			}
		}
		return
	}
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

// explains says which words may explain a part of a picture: those of all of its
// captions and tags, whichever were drawn.
func (l *Loader) explains(b *Batch, s *loaded, row []float32) {
	named, grounded := map[string]bool{}, false
	for _, noun := range l.named(s) {
		named[noun] = true
		grounded = grounded || l.isStuff(noun)
	}
	for u, noun := range b.Nouns {
		if named[noun] || !grounded && l.isStuff(noun) {
			row[u] = 1
		}
	}
}

// label fills in what the label maps say, with the columns of the words.
func (r *rows) label(b *Batch, columns map[string]int) {
	n := r.cells[0].side * r.cells[0].side
	b.Labels, b.Stuff = make([]int32, b.Size*n), make([]float32, b.U)
	b.Word, b.Background = make([]float32, b.Size*n), make([]float32, b.Size*n)
	for u, noun := range b.Nouns {
		if r.loader.isStuff(noun) {
			b.Stuff[u] = 1
		}
	}
	for i, c := range r.cells {
		for k, v := range c.value {
			at, s := i*n+k, c.samples[c.from[k]]
			sure := s.lookedFor()
			switch v {
			case LabelUnknown:
			case LabelBackground:
				b.Background[at] = someBackground
				if sure {
					b.Background[at] = 1
				}
			default:
				u := columns[r.loader.name(s.labelWords()[v-1])]
				b.Labels[at], b.Word[at] = int32(u), 1
				if b.Stuff[u] > 0 && !sure {
					b.Word[at], b.Background[at] = 1-someBackground, someBackground
				}
			}
		}
	}
}

// someBackground is the weight of "some background word" at a cell; where the map
// names which one, that has the rest. Where a person looked for certain classes, what
// the map says is sure, and has all of it.
const someBackground = 0.5

// competing says which prompts the label map of picture i tells apart: all, or where
// it has classes of its own, those that every one of its samples knows: the classes, and
// all background words where background is one of them.
func (r *rows) competing(b *Batch, i int, row []float32) {
	for u, noun := range b.Nouns {
		if noun != "" {
			row[u] = 1
		}
	}
	for _, s := range r.cells[i].samples {
		if !s.lookedFor() {
			continue
		}
		known := r.loader.classesOf(s.labels)
		for u, noun := range b.Nouns {
			if !known[noun] && !(known[vocab.Background] && r.loader.isStuff(noun)) {
				row[u] = 0
			}
		}
	}
	// A word that a cell of the picture shows competes whatever another sample knows.
	for k, v := range r.cells[i].value {
		if v != LabelUnknown && v != LabelBackground {
			row[b.Labels[i*len(r.cells[i].value)+k]] = 1
		}
	}
}

// lookedFor reports whether the sample has a label map with classes of its own.
func (s *loaded) lookedFor() bool { return s.labels != nil && len(s.labels.Classes) > 0 }

// classesOf are the words of a label map and its classes, by what the list calls them.
func (l *Loader) classesOf(m *LabelMap) map[string]bool {
	known := map[string]bool{}
	for _, list := range [][]string{m.Classes, m.Words} {
		for _, word := range list {
			known[l.name(word)] = true
		}
	}
	return known
}

// labelWords are the words of the sample's label map.
func (s *loaded) labelWords() []string {
	if s.labels == nil {
		return nil
	}
	return s.labels.Words
}

// labelClasses are the classes that its label map tells apart.
func (s *loaded) labelClasses() []string {
	if s.labels == nil {
		return nil
	}
	return s.labels.Classes
}

// named are the nouns of all of a sample's captions and, where people wrote these,
// of its tags, which name what is in it too: in order, with repetition.
func (l *Loader) named(s *loaded) []string {
	var all []string
	for _, caption := range s.captions {
		all = append(all, l.finder.Nouns(caption)...)
	}
	if s.templated {
		return all
	}
	for _, tag := range s.tags {
		if l.list != nil {
			all = append(all, l.list.Tag(tag)...)
		} else {
			all = append(all, l.finder.Nouns(tag)...)
		}
	}
	return all
}

// name is what the word list calls a word: its own word for a synonym.
func (l *Loader) name(word string) string {
	if w, ok := l.list.Find(word); ok {
		return w.Name
	}
	return word
}
