package selftrain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// person is the word whose places named clothes and parts of the body may mark.
const person = "person"

// Words is a vocabulary as pseudo masks need it: words by kind.
type Words struct {
	list   *nouns.WordList
	index  map[string]int // name → place in names
	names  []string       // things, then stuff, then clothes and parts of the body
	things int            // number of things
	stuff  int            // number of stuff words
	person int            // place of person; −1 without
}

// NewWords prepares a vocabulary. Things and classes are things.
func NewWords(list []nouns.Word) (*Words, error) {
	l, err := nouns.List(list)
	if err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	w := &Words{list: l, index: map[string]int{}, person: -1}
	for _, kinds := range [][]nouns.Kind{{nouns.Thing, nouns.Class}, {nouns.Stuff}, {nouns.Body}} {
		for _, word := range list {
			if slices.Contains(kinds, word.Kind) {
				w.index[word.Name] = len(w.names)
				w.names = append(w.names, word.Name)
				switch word.Kind {
				case nouns.Stuff:
					w.stuff++
				case nouns.Thing, nouns.Class:
					w.things++
				}
			}
		}
	}
	if w.things == 0 || w.stuff == 0 {
		return nil, fmt.Errorf("%w: a vocabulary of %d things and %d stuff words: pseudo masks need both", ErrSettings, w.things, w.stuff)
	}
	if i, ok := w.index[person]; ok && i < w.things {
		w.person = i
	}
	return w, nil
}

// Scene is what a photo's captions and tags name; the numbers are places in the
// words, sorted. Parts are clothes and parts of the body.
type Scene struct {
	Things []int
	// mentions says, for each thing, how many of the texts name it.
	mentions     []int
	Stuff, Parts []int
	// Templated says that the captions are made from the tags.
	Templated bool
}

// Empty reports whether nothing is named that a mask could show.
func (s *Scene) Empty() bool { return len(s.Things)+len(s.Stuff) == 0 }

// Scene returns what captions and tags name.
func (w *Words) Scene(captions, tags []string) Scene {
	s := Scene{Templated: pairs.Templated(captions, tags)}
	counts := map[int]int{}
	count := func(names []string) {
		seen := map[int]bool{}
		for _, name := range names {
			if i := w.index[name]; !seen[i] {
				seen[i] = true
				counts[i]++
			}
		}
	}
	for _, c := range captions {
		count(w.list.Nouns(c))
	}
	for _, t := range tags {
		count(w.list.Tag(t))
	}
	for _, i := range slices.Sorted(maps.Keys(counts)) {
		switch {
		case i < w.things:
			s.Things, s.mentions = append(s.Things, i), append(s.mentions, counts[i])
		case i < w.things+w.stuff:
			s.Stuff = append(s.Stuff, i)
		default:
			s.Parts = append(s.Parts, i)
		}
	}
	return s
}

// limit keeps so many things: those that most texts name, and of these the ones that
// the fewest photos name. Parts stay only where the person does.
func (s *Scene) limit(w *Words, things int, photos []int) {
	if len(s.Things) > things {
		order := make([]int, len(s.Things))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			return cmp.Or(s.mentions[b]-s.mentions[a], photos[s.Things[a]]-photos[s.Things[b]])
		})
		kept := make([]int, things)
		for i, k := range order[:things] {
			kept[i] = s.Things[k]
		}
		slices.Sort(kept)
		s.Things = kept
	}
	s.mentions = nil
	if !slices.Contains(s.Things, w.person) {
		s.Parts = nil
	}
}
