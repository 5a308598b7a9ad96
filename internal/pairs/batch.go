package pairs

// Batch is what one training step needs, ready for the network. Axes: B
// pictures, S their side, T the text context, U prompts.
type Batch struct {
	// Step is the batch's number, from 0.
	Step int
	// Size is B, ImageSize S, Context T, U the number of prompts (0 without).
	Size, ImageSize, Context, U int
	// Pixels [B, 3, S, S], normalised, RGB.
	Pixels []float32
	// Captions [B, T] are token ids, one caption a picture.
	Captions []int32
	// CaptionWeight [B] is 1 for a picture with a caption of its own and 0 for
	// one that counts in the noun loss only (a tagged photo).
	CaptionWeight []float32
	// Prompts [U, T] are token ids, nil when U is 0.
	Prompts []int32
	// Targets [B, U] says how often prompt u belongs to picture i. A column of
	// zeros is padding.
	Targets []float32
	// Known [B, U] is 0 where it is not known whether a word fits a picture,
	// else 1.
	Known []float32
	// Explains [B, U] is 1 where a word may explain a part of a picture: one of its
	// captions names it; or it is a word for ground or scenery, of which every
	// picture has some, and the captions name none.
	Explains []float32
	// Keys [B] are the pictures' keys, Texts [B] the captions drawn.
	Keys, Texts []string
	// Nouns [U] are the words of the prompts; "" where the prompt is padding or
	// a caption that stands in for a missing noun.
	Nouns []string
}
