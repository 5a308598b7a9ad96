package groupvit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/internal/weights"
)

// WordCountsName is the file of a model directory that says how often each word
// stood in the captions it was trained on; train writes it, and groupvit calibrate
// --captions for other models.
const WordCountsName = vocab.WordCountsFile

// wordCounts is that file.
type wordCounts struct {
	// Captions is how many were counted.
	Captions int `json:"captions"`
	// Least is the smallest count that is kept: other words have fewer.
	Least int `json:"least,omitempty"`
	// Counts are numbers of captions by word, in lower case.
	Counts map[string]int `json:"counts"`
}

// rareBelow: a word that fewer captions of training had than this was hardly met.
const rareBelow = 10

// RareWord is a label that a model hardly met in training.
type RareWord struct {
	Label string `json:"label"`
	// Captions is how many of training had its most frequent name.
	Captions int `json:"captions"`
}

func readCounts(w *weights.Model) (*wordCounts, error) {
	b, ok := w.Extra[WordCountsName]
	if !ok {
		return nil, nil
	}
	c := &wordCounts{}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %w", WordCountsName, err)
	}
	if c.Captions < 0 || c.Least < 0 {
		return nil, fmt.Errorf("%s: %d captions, least %d: they must not be negative", WordCountsName, c.Captions, c.Least)
	}
	return c, nil
}

// of is how many captions had a name: for several words the rarest's number. A
// plural counts as its word.
func (c *wordCounts) of(name string) int {
	least := -1
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !vocab.IsWordRune(r) }) {
		n := c.Counts[word]
		if s, ok := strings.CutSuffix(word, "s"); ok {
			n += c.Counts[s]
		} else {
			n += c.Counts[word+"s"]
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

// rare are the labels that were hardly met; what a label's word in the model's own
// list counts is the word's.
func (m *Model) rare(classes []vocab.Class) []RareWord {
	if m.counts == nil || m.counts.Least > rareBelow {
		return nil
	}
	var list []RareWord
	for i, names := range m.eval.Words.names(classes) {
		most := 0
		for _, n := range append(names, classes[i].Names()...) {
			most = max(most, m.counts.of(n))
		}
		if most < rareBelow {
			list = append(list, RareWord{Label: classes[i].Name, Captions: most})
		}
	}
	return list
}
