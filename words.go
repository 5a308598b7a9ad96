package groupvit

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/vocab"
)

// trainedWords are the words that a model was trained to find where it learnt
// from a list: each stands for its synonyms. In JSON a list of lists, the word
// first. Nil knows nothing.
type trainedWords struct {
	list  *nouns.WordList
	words []string
}

// maxTrainedWords bounds such a list, and a word's synonyms.
const maxTrainedWords = 1024

// UnmarshalJSON implements json.Unmarshaler.
func (t *trainedWords) UnmarshalJSON(b []byte) error {
	var lines [][]string
	if err := json.Unmarshal(b, &lines); err != nil {
		return fmt.Errorf("words are lists of a word and its synonyms: %w", err)
	}
	if err := limits.Check("number of words", "words", int64(len(lines)), maxTrainedWords, "name fewer"); err != nil {
		return err
	}
	var words []nouns.Word
	t.words = nil
	for _, line := range lines {
		if len(line) == 0 || len(line) > maxTrainedWords {
			return fmt.Errorf("a word with %d names, allowed are 1 to %d", len(line), maxTrainedWords)
		}
		for _, name := range line {
			if len(name) > limits.LabelBytes {
				return fmt.Errorf("word %.40q… is longer than %d bytes", name, limits.LabelBytes)
			}
		}
		words = append(words, nouns.Word{Name: line[0], Synonyms: line[1:]})
		t.words = append(t.words, line[0])
	}
	var err error
	t.list, err = nouns.List(words)
	return err
}

// names returns the names to ask for each class: where the model knows a word
// for it, that word alone ("person" for people and man), else its own names. Of
// classes that share a word ("man", "woman") each keeps its own names.
func (t trainedWords) names(classes []vocab.Class) [][]string {
	out := make([][]string, len(classes))
	owners := map[string]int{} // of each known word, the number of classes
	for i, c := range classes {
		for _, n := range c.Names() {
			if w, ok := t.find(n); ok && !slices.Contains(out[i], w) {
				out[i] = append(out[i], w)
				owners[w]++
			}
		}
	}
	for i, c := range classes {
		shared := func(w string) bool { return owners[w] > 1 }
		if len(out[i]) == 0 || slices.ContainsFunc(out[i], shared) {
			out[i] = c.Names()
		}
	}
	return out
}

// all are the words themselves, in their order.
func (t trainedWords) all() []string { return t.words }

func (t trainedWords) find(name string) (string, bool) {
	if t.list == nil {
		return "", false
	}
	w, ok := t.list.Find(name)
	return w.Name, ok
}
