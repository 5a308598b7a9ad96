// Package nouns finds the words of a caption that become prompts of the
// multi-label contrastive loss (Xu et al., CVPR 2022, §3.4).
//
// [List] looks for the words of a list and merges synonyms and plurals, which serves
// small data better than every noun: a word that stands in twelve captions cannot be
// learnt, and "man", "boys" and "people" together can. [Builtin] is a list of 77 words
// for photos. The paper's own rule, a part-of-speech tagger, is in the package tagger
// below this one.
package nouns

// Finder finds nouns.
type Finder interface {
	// Nouns returns the nouns of a caption in its order, with repetition.
	Nouns(caption string) []string
}
