package tagger

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/jdkato/prose/v2"
)

// perceptron is an averaged perceptron tagger (Collins, EMNLP 2002, with the
// features of TextBlob's tagger, as NLTK has them). It reads the weights that
// prose embeds. Prose's own code is not used for tagging: it breaks ties by
// chance, and gives a word that stands in a sentence twice one tag.
type perceptron struct {
	classes []string            // tags; ties go to the later in the alphabet
	fixed   map[string]string   // tags of frequent words that have only one
	weights map[string][]weight // by feature
}

// weight is what a feature says for a class.
type weight struct {
	class uint8
	value float64
}

var perceptronOnce = sync.OnceValue(func() *perceptron {
	p, err := loadPerceptron()
	if err != nil {
		panic(err) // what the module embeds is broken: the build is
	}
	return p
})

func loadPerceptron() (*perceptron, error) {
	p := &perceptron{}
	var weights map[string]map[string]float64
	for name, into := range map[string]any{"classes": &p.classes, "tags": &p.fixed, "weights": &weights} {
		b, err := prose.Asset("model/AveragedPerceptron/" + name + ".gob")
		if err != nil {
			return nil, fmt.Errorf("tagger: %w", err)
		}
		if err := gob.NewDecoder(bytes.NewReader(b)).Decode(into); err != nil {
			return nil, fmt.Errorf("tagger: %s: %w", name, err)
		}
	}
	places := make(map[string]uint8, len(p.classes))
	for i, c := range p.classes {
		places[c] = uint8(i)
	}
	p.weights = make(map[string][]weight, len(weights))
	for feature, classes := range weights {
		list := make([]weight, 0, len(classes))
		for class, value := range classes {
			if place, ok := places[class]; ok && value != 0 {
				list = append(list, weight{place, value})
			}
		}
		p.weights[feature] = list
	}
	return p, nil
}

// tag returns a tag for each word.
func (p *perceptron) tag(words []string) []string {
	// Two words of context on either side.
	context := make([]string, 0, len(words)+4)
	context = append(context, "-START-", "-START2-")
	for _, w := range words {
		context = append(context, normalise(w))
	}
	context = append(context, "-END-", "-END2-")
	tags := make([]string, len(words))
	before, before2 := "-START-", "-START2-"
	scores := make([]float64, len(p.classes))
	var key []byte
	for i, word := range words {
		tag, ok := p.fixed[word]
		if !ok {
			clear(scores)
			at := context[i : i+5]
			for _, f := range [...][3]string{
				{"bias"},
				{"i suffix", ending(word)},
				{"i pref1", word[:1]},
				{"i-1 tag", before},
				{"i-2 tag", before2},
				{"i tag+i-2 tag", before, before2},
				{"i word", at[2]},
				{"i-1 tag+i word", before, at[2]},
				{"i-1 word", at[1]},
				{"i-1 suffix", ending(at[1])},
				{"i-2 word", at[0]},
				{"i+1 word", at[3]},
				{"i+1 suffix", ending(at[3])},
				{"i+2 word", at[4]},
			} {
				key = append(key[:0], f[0]...)
				for _, value := range f[1:] {
					if value != "" {
						key = append(append(key, ' '), value...)
					}
				}
				for _, w := range p.weights[string(key)] {
					scores[w.class] += w.value
				}
			}
			tag = p.best(scores)
		}
		tags[i] = tag
		before, before2 = tag, before
	}
	return tags
}

// best returns the class with the largest score.
func (p *perceptron) best(scores []float64) string {
	best := 0
	for c, s := range scores {
		if s > scores[best] || s == scores[best] && p.classes[c] > p.classes[best] {
			best = c
		}
	}
	return p.classes[best]
}

// ending is a word's last three bytes.
func ending(word string) string { return word[max(0, len(word)-3):] }

// normalise is what the tagger sees of a word.
func normalise(word string) string {
	_, err := strconv.ParseUint(word, 10, 32)
	switch {
	case strings.Contains(word, "-") && word[0] != '-':
		return "!HYPHEN"
	case err == nil && len(word) == 4:
		return "!YEAR"
	case word != "" && word[0] >= '0' && word[0] <= '9':
		return "!DIGITS"
	}
	return strings.ToLower(word)
}
