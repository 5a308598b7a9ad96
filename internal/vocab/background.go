package vocab

import "slices"

// BackgroundWords returns words for what is usually background: ground,
// scenery, parts of rooms. A pixel that such a word fits best belongs to no
// named thing. They are the 26 words of the SCLIP protocol (Wang et al., ECCV
// 2024). Words among the labels are to be left out; see [WithoutLabels].
func BackgroundWords() []string { return slices.Clone(backgroundWords) }

var backgroundWords = []string{
	"sky", "wall", "tree", "wood", "grass", "road", "sea", "river", "mountain",
	"sands", "desk", "bed", "building", "cloud", "lamp", "door", "window",
	"wardrobe", "ceiling", "shelf", "curtain", "stair", "floor", "hill", "rail",
	"fence",
}

// WithoutLabels returns the words that are neither a label's name nor one of
// its synonyms; case does not matter, and a plain plural counts as the word.
func WithoutLabels(words []string, labels []Class) []string {
	var left []string
	for _, w := range words {
		if !slices.ContainsFunc(labels, func(c Class) bool {
			return slices.ContainsFunc(c.Names(), func(n string) bool { return sameWord(n, w) })
		}) {
			left = append(left, w)
		}
	}
	return left
}
