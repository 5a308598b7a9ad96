package nouns

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Survey finds out which words the captions and tags of a data set use, and makes a
// vocabulary of them.
type Survey struct {
	list *WordList
	tag  TagFunc
	// words are the numbers of photos that name each word of the table, tags those
	// of each tag that the table does not know.
	words, tags map[string]int
	// nouns are photos whose captions have a word as a common noun, all those that
	// have it at all.
	nouns, all map[string]int
}

// TagFunc splits a caption into words and gives each a part-of-speech tag (Penn
// Treebank); see the package tagger.
type TagFunc func(caption string) (words, tags []string)

// NewSurvey starts one from the built-in table. tag finds common nouns beyond the
// table.
func NewSurvey(tag TagFunc) (*Survey, error) {
	list, err := List(Table())
	if err != nil {
		return nil, err
	}
	return &Survey{list: list, tag: tag, words: map[string]int{}, tags: map[string]int{}, nouns: map[string]int{}, all: map[string]int{}}, nil
}

// Mentions are what one photo's texts say, each once.
type Mentions struct{ words, tags, nouns, all []string }

// Read finds what a photo's captions and tags mention. Nouns beyond the table are
// looked for in captions only if people wrote them. It is safe for concurrent use.
func (s *Survey) Read(captions, tags []string, written bool) Mentions {
	words, unknown := map[string]bool{}, map[string]bool{}
	nouns, all := map[string]bool{}, map[string]bool{}
	for _, c := range captions {
		covered := map[string]bool{} // by phrases: "living room" is no living
		s.list.scan(split(c), func(phrase []string, word int) {
			if word >= 0 {
				words[s.list.words[word].Name] = true
			}
			for _, w := range phrase {
				covered[w] = true
			}
		})
		if !written {
			continue
		}
		tokens, tags := s.tag(c)
		for i, tag := range tags {
			word := normal(tokens[i])
			if word == "" || strings.Contains(word, " ") || covered[word] || s.known(word) {
				continue
			}
			all[word] = true
			if tag == "NN" || tag == "NNS" {
				nouns[word] = true
			}
		}
	}
	for _, t := range tags {
		for _, w := range s.list.Tag(t) {
			words[w] = true
		}
		if t = normal(t); t != "" && !s.knownHead(t) {
			unknown[t] = true
		}
	}
	list := func(set map[string]bool) []string { return slices.Collect(maps.Keys(set)) }
	return Mentions{list(words), list(unknown), list(nouns), list(all)}
}

// Add counts what a photo mentions.
func (s *Survey) Add(m Mentions) {
	for _, part := range []struct {
		counts map[string]int
		words  []string
	}{{s.words, m.words}, {s.tags, m.tags}, {s.nouns, m.nouns}, {s.all, m.all}} {
		for _, w := range part.words {
			part.counts[w]++
		}
	}
}

// known reports whether the table finds a word, or says that it names no region.
func (s *Survey) known(word string) bool {
	_, ok := s.list.phrases[word]
	return ok || noRegion(word)
}

// noRegion reports whether the table says of a noun that it names no region.
func noRegion(word string) bool {
	return slices.ContainsFunc(append(singulars(word), word), func(w string) bool { return table().not[w] })
}

// knownHead reports whether the table finds the end of a phrase, which says what it
// is: a "persian cat" is a cat. Phrases that the table excepts are unknown.
func (s *Survey) knownHead(phrase string) bool {
	parts := strings.Fields(phrase)
	for i := range parts {
		if w, ok := s.list.phrases[strings.Join(parts[i:], " ")]; ok {
			return w >= 0 || noRegion(phrase)
		}
	}
	return s.known(parts[len(parts)-1])
}

// nounShare is the share of a word's photos in which it must be a noun: taggers take
// many a verb for one now and then.
const nounShare = 0.8

// Vocabulary returns the words that so many photos name or more, with their counts,
// most first within each kind. Words of the table come with their synonyms; further
// tags and nouns are things, under the name that is used most, with their plural or
// singular. What a word of the table that is too rare would have claimed ("hot dog")
// does not count as another ("dog").
func (s *Survey) Vocabulary(least int) []Word {
	var words, rare []Word
	for _, w := range Table() {
		if w.Count = s.words[w.Name]; w.Count >= max(least, 1) {
			words = append(words, w)
		} else {
			rare = append(rare, w)
		}
	}
	except(words, rare)
	words = append(words, s.further(least)...)
	slices.SortStableFunc(words, func(a, b Word) int {
		return cmp.Or(cmp.Compare(kindOrder[a.Kind], kindOrder[b.Kind]), b.Count-a.Count, strings.Compare(a.Name, b.Name))
	})
	return words
}

var kindOrder = map[Kind]int{Class: 0, Thing: 0, Body: 1, Stuff: 2}

// except adds phrases of rare words to the exceptions of the words that they contain.
func except(words, rare []Word) {
	list, err := List(words)
	if err != nil {
		return // no words, or the table is broken, which a test holds
	}
	for _, w := range rare {
		for _, phrase := range append([]string{w.Name}, w.Synonyms...) {
			for _, name := range list.Nouns(phrase) {
				i := list.index[name]
				if _, own := list.phrases[normal(phrase)]; !own && !slices.Contains(words[i].Except, phrase) {
					words[i].Except = append(slices.Clone(words[i].Except), phrase)
				}
			}
		}
	}
}

// further are things that the table does not know.
func (s *Survey) further(least int) []Word {
	counts := maps.Clone(s.tags)
	for w, n := range s.nouns {
		if float64(n) >= nounShare*float64(s.all[w]) {
			counts[w] += n
		}
	}
	forms := map[string][]string{} // singular → what is written for it
	for w := range counts {
		base := w
		for _, single := range singulars(w) {
			if counts[single] > 0 {
				base = single
				break
			}
		}
		forms[base] = append(forms[base], w)
	}
	var words []Word
	for base, list := range forms {
		total, name := 0, base
		slices.Sort(list)
		for _, w := range list {
			total += counts[w]
			if counts[w] > counts[name] {
				name = w
			}
		}
		if counts[base] > 0 {
			name = base
		}
		if total < max(least, 1) || len(name) < 3 {
			continue
		}
		w := Word{Name: name, Kind: Thing, Count: total}
		for _, other := range list {
			if other != name && !slices.Contains(plural(name), other) {
				w.Synonyms = append(w.Synonyms, other)
			}
		}
		words = append(words, w)
	}
	return words
}

// irregular are plurals that no rule makes.
var irregular = map[string]string{
	"men": "man", "women": "woman", "children": "child", "people": "person", "feet": "foot", "teeth": "tooth",
	"geese": "goose", "mice": "mouse", "oxen": "ox", "calves": "calf", "leaves": "leaf", "knives": "knife",
	"wolves": "wolf", "shelves": "shelf", "loaves": "loaf", "scarves": "scarf", "buses": "bus", "busses": "bus",
	"cacti": "cactus", "octopi": "octopus", "dice": "die",
}

// singulars returns what may be the singular of a word or phrase, the likeliest first;
// none for what does not look like a plural.
func singulars(phrase string) []string {
	head, last := "", phrase
	if i := strings.LastIndexByte(phrase, ' '); i >= 0 {
		head, last = phrase[:i+1], phrase[i+1:]
	}
	if s, ok := irregular[last]; ok {
		return []string{head + s}
	}
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(last, e) })
	}
	cut := func(suffix, with string) string { return head + strings.TrimSuffix(last, suffix) + with }
	switch {
	case ends("men"):
		return []string{cut("men", "man")}
	case len(last) < 4 || !ends("s") || ends("ss", "us", "is"):
		return nil
	case ends("ies"):
		return []string{cut("ies", "y"), cut("s", "")}
	case ends("ches", "shes", "xes", "sses", "oes", "zes"):
		return []string{cut("es", ""), cut("s", "")}
	}
	return []string{cut("s", "")}
}
