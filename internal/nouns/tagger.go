package nouns

import "slices"

// Tagger returns the paper's rule as its code has it: every word of a caption
// that an averaged perceptron tagger (English, Penn Treebank tags) calls a
// common noun, a singular proper noun or a verb of any form, as it stands in the
// caption. Verbs are in the code though the paper says nouns; plural proper
// nouns (NNPS) are not. There is no list of words.
//
// The tagger's weights are those of the Go module prose; tokens and tags follow
// the rules of NLTK's word_tokenize and pos_tag, which the paper's code calls.
// The model is loaded at the first caption, in about a quarter of a second.
func Tagger() Finder { return tagger{} }

type tagger struct{}

// taggedAsNoun are the tags whose words count.
var taggedAsNoun = []string{"NN", "NNS", "NNP", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ"}

// Nouns implements [Finder].
func (tagger) Nouns(caption string) []string {
	words := tokenise(caption)
	var found []string
	for i, tag := range perceptronOnce().tag(words) {
		if slices.Contains(taggedAsNoun, tag) {
			found = append(found, words[i])
		}
	}
	return found
}
