package pairs

import (
	"slices"
	"strings"
	"unicode"
)

// Templated reports whether a sample's captions were made from its tags, as
// "a photo of a cow, an ox" is of cow and ox: they say nothing that the tags do
// not, and what they leave unsaid may well be in the picture. A sample without
// tags is never templated.
//
// A person who describes a photo says more than its class. So a caption counts as
// made from tags where nothing is left of it without the tags and the words of
// templates ("a", "photo", "large" and so on), and a sample is templated where
// most of its captions are: makers of data sets add one or the other with a
// place ("a tree in the desert").
func (s *Sample) Templated() bool { return Templated(s.Captions, s.Tags) }

// Templated is [Sample.Templated] of captions and tags.
func Templated(captions, tags []string) bool {
	if len(tags) == 0 {
		return false
	}
	phrases := make([][]string, 0, len(tags))
	for _, t := range tags {
		if words := letters(t); len(words) > 0 {
			phrases = append(phrases, words)
		}
	}
	// "fire engine" goes before "fire".
	slices.SortStableFunc(phrases, func(a, b []string) int { return len(b) - len(a) })
	made := 0
	for _, c := range captions {
		if madeOf(letters(c), phrases) {
			made++
		}
	}
	return 2*made > len(captions)
}

// madeOf reports whether a caption consists of phrases, one at least, and of
// templates' words.
func madeOf(words []string, phrases [][]string) bool {
	named := false
	for len(words) > 0 {
		taken := 0
		for _, p := range phrases {
			if len(p) <= len(words) && samePhrase(words[:len(p)], p) {
				taken, named = len(p), true
				break
			}
		}
		if taken == 0 && !templateWord[words[0]] {
			return false
		}
		words = words[max(taken, 1):]
	}
	return named
}

// samePhrase compares two phrases of equal length; the last word may be a plural
// in "s" of the other.
func samePhrase(a, b []string) bool {
	last := len(a) - 1
	return slices.Equal(a[:last], b[:last]) &&
		(a[last] == b[last] || a[last] == b[last]+"s" || a[last]+"s" == b[last])
}

// letters returns the words of a text in lower case: runs of letters and digits.
func letters(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// templateWord holds the words of templates that name nothing: those of CLIP's 80
// and of the common forms for class names. Words that change what is seen ("toy",
// "origami", "sculpture") are not among them.
var templateWord = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(`
		a an the this that these those one some many my and with of in on at to is are there here it
		photo photos photograph image images picture pictures close up itap scene view
		bad good nice cool weird hard see low resolution cropped bright dark blurry clean dirty
		jpeg corrupted pixelated black white large small big centered satellite
		type kind breed species class`) {
		words[w] = true
	}
	return words
}()
