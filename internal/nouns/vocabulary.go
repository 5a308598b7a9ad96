package nouns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/groupvit/groupvit/internal/limits"
)

// entry is a word of a vocabulary file.
type entry struct {
	Name     string   `yaml:"name"`
	Kind     string   `yaml:"kind"`
	Count    int      `yaml:"count,omitempty"`
	Synonyms []string `yaml:"synonyms,omitempty,flow"`
	Except   []string `yaml:"except,omitempty,flow"`
}

// ReadVocabulary reads a word list from YAML: a list of
//
//	{name: dog, kind: thing, count: 812, synonyms: [puppy], except: [hot dog]}
//
// kind is thing, stuff or body (or class); all but name and kind may be left out.
// Errors wrap [ErrList] or limits.ErrTooLarge.
func ReadVocabulary(r io.Reader) ([]Word, error) {
	b, err := io.ReadAll(io.LimitReader(r, limits.VocabularyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	if err := limits.Check("size in bytes", "vocabulary", int64(len(b)), limits.VocabularyBytes, "name fewer words"); err != nil {
		return nil, err
	}
	var entries []entry
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&entries); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: vocabulary: %s", ErrList, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := limits.Check("number of words", "vocabulary", int64(len(entries)), limits.VocabularyWords, "name fewer"); err != nil {
		return nil, err
	}
	words := make([]Word, 0, len(entries))
	for i, e := range entries {
		w, err := e.word()
		if err != nil {
			return nil, fmt.Errorf("%w: vocabulary: word %d (%.40q): %w", ErrList, i+1, e.Name, err)
		}
		words = append(words, w)
	}
	if _, err := List(words); err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	return words, nil
}

func (e entry) word() (Word, error) {
	kind, err := ParseKind(e.Kind)
	if err != nil {
		return Word{}, err
	}
	names := append(append([]string{e.Name}, e.Synonyms...), e.Except...)
	if len(names) > limits.VocabularyNames {
		return Word{}, fmt.Errorf("%d synonyms and exceptions, the limit is %d", len(names), limits.VocabularyNames)
	}
	for _, n := range names {
		if len(n) > limits.LabelBytes {
			return Word{}, fmt.Errorf("%.40q… is longer than %d bytes", n, limits.LabelBytes)
		}
	}
	if e.Count < 0 {
		return Word{}, fmt.Errorf("count %d: it must not be negative", e.Count)
	}
	return Word{Name: e.Name, Kind: kind, Synonyms: e.Synonyms, Except: e.Except, Count: e.Count}, nil
}

// WriteVocabulary writes what [ReadVocabulary] reads.
func WriteVocabulary(w io.Writer, words []Word) error {
	entries := make([]entry, 0, len(words))
	for _, v := range words {
		entries = append(entries, entry{v.Name, v.Kind.String(), v.Count, v.Synonyms, v.Except})
	}
	d := yaml.NewEncoder(w)
	d.SetIndent(2)
	return errors.Join(d.Encode(entries), d.Close())
}
