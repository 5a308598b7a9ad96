package pairs

// rows is what a batch's matrices of pictures and prompts are made of. They are
// large: B·U numbers each, with U three times B in the paper.
type rows struct {
	loader *Loader
	// prompts are each picture's, by their place, some more than once.
	prompts [][]int32
	// drawn are the samples; their pictures are not looked at.
	drawn []*loaded
}

// fill makes a batch's matrices.
func (r *rows) fill(b *Batch) {
	if r != nil {
		p := Part{Batch: b, rows: r}
		b.Targets, b.Known, b.Explains = p.Rows(0, b.Size)
	}
}

// write fills in rows of Targets, Known and Explains, which are zeros.
func (r *rows) write(b *Batch, from, to int, targets, known, explains []float32) {
	for i := from; i < to; i++ {
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
// tells to be absent.
func (l *Loader) known(b *Batch, s *loaded, targets, row []float32) {
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
// captions, whichever were drawn.
func (l *Loader) explains(b *Batch, s *loaded, row []float32) {
	named, grounded := map[string]bool{}, false
	for _, caption := range s.captions {
		for _, noun := range l.finder.Nouns(caption) {
			named[noun] = true
			grounded = grounded || l.isStuff(noun)
		}
	}
	for u, noun := range b.Nouns {
		if named[noun] || !grounded && l.isStuff(noun) {
			row[u] = 1
		}
	}
}
