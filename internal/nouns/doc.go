// Package nouns finds the words of a caption that become prompts of the
// multi-label contrastive loss (Xu et al., CVPR 2022, §3.4).
//
// [Tagger] follows the paper's code: every word that a part-of-speech tagger
// calls a noun or a verb, as it stands in the caption. [List] looks for the
// words of a list and merges synonyms and plurals, which serves small data
// better: a word that stands in twelve captions cannot be learnt, and "man",
// "boys" and "people" together can. [Builtin] is a list of 77 words for photos.
//
// Agreement of the tagger with NLTK 3.10.4: in 1,000 of 1,000 captions of
// Flickr8k the same words are found, and 25 sentences with quotes, numbers,
// contractions and abbreviations have the same tokens and tags:
//
//	GROUPVIT_DATA=DIR go test ./internal/nouns -run NLTK -v
//
// Where a caption has several sentences, NLTK parts them by its Punkt model and
// this package by capitals after a full stop; that decides only whether an
// abbreviation keeps its full stop.
package nouns

// Finder finds nouns.
type Finder interface {
	// Nouns returns the nouns of a caption in its order, with repetition.
	Nouns(caption string) []string
}
