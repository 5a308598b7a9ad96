package pairs

// Batch is what one training step needs, ready for the network. Axes: B
// pictures, S their side, T the text context, U prompts.
type Batch struct {
	// Step is the batch's number, from 0.
	Step int
	// Size is B, ImageSize S, Context T, U the number of prompts (0 without).
	Size, ImageSize, Context, U int
	// Pixels [B, 3, S, S], normalised, RGB; nil in micro-batches, see
	// [MicroBatch].
	Pixels []float32
	// Captions [B, T] are token ids, one caption a picture.
	Captions []int32
	// CaptionWeight [B] is 1 for a picture with a caption of its own and 0 for
	// one that counts in the noun loss only (a tagged photo).
	CaptionWeight []float32
	// Prompts [U, T] are token ids, nil when U is 0.
	Prompts []int32
	// Targets [B, U] says how often prompt u belongs to picture i. A column of
	// zeros is padding. It, Known and Explains are nil in micro-batches:
	// [MicroBatch.Rows] gives some rows of them.
	Targets []float32
	// Known [B, U] is 0 where it is not known whether a word fits a picture,
	// else 1.
	Known []float32
	// Explains [B, U] is 1 where a word may explain a part of a picture: one of its
	// captions names it; or it is a word for ground or scenery, of which every
	// picture has some, and the captions name none.
	Explains []float32
	// Labels, Word and Background [B, N] and Stuff [U] are what label maps say of the
	// N = (S/cell)² cells of each picture, as network.Dense has them; nil without
	// label maps. Competing [B, U] is nil in micro-batches: see
	// [MicroBatch.Competing].
	Labels           []int32
	Word, Background []float32
	Competing, Stuff []float32
	// Keys [B] are the pictures' keys, Texts [B] the captions drawn.
	Keys, Texts []string
	// Nouns [U] are the words of the prompts; "" where the prompt is padding or
	// a caption that stands in for a missing noun.
	Nouns []string
}

// MicroBatch is some images of a batch that is never in memory as a whole: a loader
// builds the pixels of one micro-batch after the other and, with [Options.TwoPasses],
// all of them once more.
type MicroBatch struct {
	// Batch is the batch that it belongs to, without pixels and matrices. Its texts are
	// set from its last micro-batch on, and in the second pass.
	Batch *Batch
	// From is the index in the batch of the first image, Size the number of images.
	From, Size int
	// SecondPass reports whether it was built for the second time.
	SecondPass bool
	// Pixels [Size, 3, S, S] are those of [Batch.Pixels].
	Pixels []float32
	// rows is what the batch's matrices are made of; nil before its last micro-batch,
	// and where the batch has them.
	rows *rows
}

// Rows returns rows [to−from, U] of the batch's Targets, Known and Explains, for
// its pictures from to to−1: as soon as there are texts. A matrix that a batch made
// by hand lacks is nil.
func (p *MicroBatch) Rows(from, to int) (targets, known, explains []float32) {
	b := p.Batch
	if p.rows != nil {
		n := (to - from) * b.U
		targets, known, explains = make([]float32, n), make([]float32, n), make([]float32, n)
		p.rows.write(b, from, to, targets, known, explains)
		return targets, known, explains
	}
	cut := func(x []float32) []float32 {
		if x == nil {
			return nil
		}
		return x[from*b.U : to*b.U]
	}
	return cut(b.Targets), cut(b.Known), cut(b.Explains)
}

// Competing returns rows [to−from, U] of the batch's Competing; nil without label
// maps.
func (p *MicroBatch) Competing(from, to int) []float32 {
	b := p.Batch
	switch {
	case b.Labels == nil:
		return nil
	case b.Competing != nil:
		return b.Competing[from*b.U : to*b.U]
	}
	out := make([]float32, (to-from)*b.U)
	for i := from; i < to; i++ {
		p.rows.competing(b, i, out[(i-from)*b.U:(i-from+1)*b.U])
	}
	return out
}
