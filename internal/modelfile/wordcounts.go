package modelfile

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// isWordRune reports whether a rune belongs to a word that [WordCounts] counts.
func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\''
}

// WordCountsName is the file of a model directory that holds [WordCounts]: train
// writes it, and groupvit calibrate --captions for other models.
const WordCountsName = "word_counts.json"

// WordCounts counts in how many captions each word stands, in lower case. The zero
// value has counted nothing.
type WordCounts struct {
	// Captions is how many were added.
	Captions int
	// Limit is how many words are kept track of; 0 is 2²⁰. Beyond it the rarest are
	// forgotten: a word's count may then be too small by as many as were forgotten of
	// one (lossy counting, Manku and Motwani 2002).
	Limit  int
	counts map[string]int
	// forgotten is the largest count of a word that was.
	forgotten int
}

// wordCountsJSON is the file.
type wordCountsJSON struct {
	Captions int            `json:"captions"`
	Least    int            `json:"least"`
	Counts   map[string]int `json:"counts"`
}

// maxCountedWords bounds the words that are kept track of.
const maxCountedWords = 1 << 20

// Add counts the words of a caption, each once.
func (c *WordCounts) Add(caption string) {
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.Captions++
	seen := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(caption), func(r rune) bool { return !isWordRune(r) }) {
		if seen[w] || len(w) > 40 {
			continue
		}
		seen[w] = true
		if _, known := c.counts[w]; !known {
			c.makeRoom()
		}
		c.counts[w]++
	}
}

// makeRoom forgets the rarest words where no other has room: so many at once that it
// is seldom needed.
func (c *WordCounts) makeRoom() {
	limit := c.Limit
	if limit == 0 {
		limit = maxCountedWords
	}
	if len(c.counts) < limit {
		return
	}
	for len(c.counts) > limit*3/4 {
		c.forgotten++
		for w, n := range c.counts {
			if n <= c.forgotten {
				delete(c.counts, w)
			}
		}
	}
}

// JSON is the counter as [ReadWordCounts] reads it, with at most so many words and
// bytes.
func (c *WordCounts) JSON(words, bytes int) ([]byte, error) {
	for {
		counts, least := c.Most(words)
		b, err := json.Marshal(wordCountsJSON{c.Captions, least, counts})
		if err != nil || len(b) <= bytes || words == 0 {
			return b, err
		}
		words /= 2
	}
}

// ReadWordCounts goes on where a counter was written.
func ReadWordCounts(b []byte) (*WordCounts, error) {
	var w wordCountsJSON
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("%s: %w", WordCountsName, err)
	}
	if w.Captions < 0 || w.Least < 0 {
		return nil, fmt.Errorf("%s: %d captions, least %d: they must not be negative", WordCountsName, w.Captions, w.Least)
	}
	if w.Counts == nil {
		w.Counts = map[string]int{}
	}
	return &WordCounts{Captions: w.Captions, counts: w.Counts, forgotten: max(w.Least-1, 0)}, nil
}

// Most returns the words with the largest counts, at most so many of them, and the
// smallest count that is among them entirely: words that are not returned have
// fewer.
func (c *WordCounts) Most(words int) (counts map[string]int, least int) {
	least = c.forgotten + 1
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

// Least is the smallest count that is known: words that are not counted have fewer.
func (c *WordCounts) Least() int { return c.forgotten + 1 }

// Of is how many captions had a name: of several words the rarest's number. A plural
// counts as its word.
func (c *WordCounts) Of(name string) int {
	least := -1
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !isWordRune(r) }) {
		n := c.counts[word]
		if s, ok := strings.CutSuffix(word, "s"); ok {
			n += c.counts[s]
		} else {
			n += c.counts[word+"s"]
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}
