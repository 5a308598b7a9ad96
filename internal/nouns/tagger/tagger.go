// Package tagger finds the words of a caption that a part-of-speech tagger calls nouns
// or verbs, as the code of GroupViT's paper does (Xu et al., CVPR 2022, §3.4). It has a
// package of its own because its weights are 4 megabytes, which programs that only open
// models need not link.
//
// Agreement with NLTK 3.10.4: in 1,000 of 1,000 captions of Flickr8k the same words are
// found, and 25 sentences with quotes, numbers, contractions and abbreviations have the
// same tokens and tags:
//
//	GROUPVIT_DATA=DIR go test ./internal/nouns/tagger -run NLTK -v
//
// Where a caption has several sentences, NLTK parts them by its Punkt model and
// this package by capitals after a full stop; that decides only whether an
// abbreviation keeps its full stop.
package tagger

import (
	"slices"

	"github.com/groupvit/groupvit/internal/nouns"
)

// New returns the paper's rule as its code has it: every word of a caption
// that an averaged perceptron tagger (English, Penn Treebank tags) calls a
// common noun, a singular proper noun or a verb of any form, as it stands in the
// caption. Verbs are in the code though the paper says nouns; plural proper
// nouns (NNPS) are not. There is no list of words.
//
// The tagger's weights are those of the Go module prose; tokens and tags follow
// the rules of NLTK's word_tokenize and pos_tag, which the paper's code calls.
// The model is loaded at the first caption, in about a quarter of a second.
func New() nouns.Finder { return tagger{} }

type tagger struct{}

// Tag splits a caption into words and gives each its tag (Penn Treebank).
func Tag(caption string) (words, tags []string) {
	words = tokenise(caption)
	return words, perceptronOnce().tag(words)
}

// taggedAsNoun are the tags whose words count.
var taggedAsNoun = []string{"NN", "NNS", "NNP", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ"}

// Nouns implements [nouns.Finder].
func (tagger) Nouns(caption string) []string {
	words, tags := Tag(caption)
	var found []string
	for i, tag := range tags {
		if slices.Contains(taggedAsNoun, tag) {
			found = append(found, words[i])
		}
	}
	return found
}
