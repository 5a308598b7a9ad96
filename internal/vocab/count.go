package vocab

import (
	"strings"
	"unicode"
)

// IsWordRune says whether a rune belongs to a word that [WordCounter] counts.
func IsWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\''
}

// WordCounter counts in how many captions each word stands, in lower case. The zero
// value has counted nothing.
type WordCounter struct {
	// Captions is how many were added.
	Captions int
	counts   map[string]int
}

// maxCountedWords bounds the words that are kept track of; words that come later
// than so many others are not.
const maxCountedWords = 1 << 20

// Add counts the words of a caption, each once.
func (c *WordCounter) Add(caption string) {
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.Captions++
	seen := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(caption), func(r rune) bool { return !IsWordRune(r) }) {
		if seen[w] || len(w) > 40 {
			continue
		}
		seen[w] = true
		if _, known := c.counts[w]; known || len(c.counts) < maxCountedWords {
			c.counts[w]++
		}
	}
}

// Most returns the words with the largest counts, at most so many of them, and the
// smallest count that is among them entirely: words that are not returned have
// fewer.
func (c *WordCounter) Most(words int) (counts map[string]int, least int) {
	least = 1
	for {
		n := 0
		for _, k := range c.counts {
			if k >= least {
				n++
			}
		}
		if n <= words {
			break
		}
		least++
	}
	counts = map[string]int{}
	for w, k := range c.counts {
		if k >= least {
			counts[w] = k
		}
	}
	return counts, least
}
