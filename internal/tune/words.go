package tune

import (
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
)

// modelWords are the words that a model was trained to find, with what is background
// for it.
func modelWords(e modelfile.Eval) []nouns.Word {
	background := map[string]bool{}
	for _, list := range [][]string{e.BackgroundWords, e.StuffWords} {
		for _, w := range list {
			background[strings.ToLower(w)] = true
		}
	}
	var words []nouns.Word
	for _, names := range e.Words {
		w := nouns.Word{Name: names[0], Synonyms: slices.Clone(names[1:])}
		if background[strings.ToLower(w.Name)] {
			w.Kind = nouns.Stuff
		}
		words = append(words, w)
	}
	return words
}

// vocabulary makes each class a word of its own among the model's words, and returns
// the words that it has changed or added, by class.
//
// A class is the model's word that its name or a synonym names, so that it goes on
// with what the model knows; further words that it names become synonyms of that.
// Where several classes name one word ("pedestrian" and "bicyclist" a person), the class
// that has its name keeps it, and the others become new words. Of a class that is
// background for the model nothing else follows from its being there or not: it is of
// kind body in training, so that "some background word" does not mean it.
func vocabulary(words []nouns.Word, classes []masks.Class) (out []nouns.Word, of []string, err error) {
	out = slices.Clone(words)
	for i := range out {
		out[i].Synonyms = slices.Clone(out[i].Synonyms)
	}
	owned, err := owners(out, classes)
	if err != nil {
		return nil, nil, err
	}
	gone := map[string]bool{}
	for i, c := range classes {
		of = append(of, "")
		if c.Word == "" {
			continue
		}
		names := c.Names()
		at := -1
		for _, w := range owned[i] {
			if at < 0 || strings.EqualFold(w, c.Name) {
				at = indexOf(out, w)
			}
		}
		if at < 0 {
			out, at = append(out, nouns.Word{Name: clean(c.Name)}), len(out)
		}
		for _, w := range owned[i] { // the others of its words
			if k := indexOf(out, w); k != at {
				names = append(names, append([]string{out[k].Name}, out[k].Synonyms...)...)
				gone[out[k].Name] = true
			}
		}
		if out[at].Kind == nouns.Stuff {
			out[at].Kind = nouns.Body
		}
		for _, n := range names {
			out[at].Synonyms = addName(out[at], clean(n))
		}
		of[i] = out[at].Name
	}
	out = slices.DeleteFunc(out, func(w nouns.Word) bool { return gone[w.Name] })
	freeNames(out, classes, of)
	return out, of, nil
}

// owners are, of each class, the words that are its own.
func owners(words []nouns.Word, classes []masks.Class) ([][]string, error) {
	owned := make([][]string, len(classes))
	if len(words) == 0 {
		return owned, nil
	}
	list, err := nouns.List(words)
	if err != nil {
		return nil, err
	}
	claims := map[string][]int{}
	for i, c := range classes {
		if c.Word == "" {
			continue
		}
		for _, n := range c.Names() {
			if w, ok := list.Find(n); ok && !slices.Contains(claims[w.Name], i) {
				claims[w.Name] = append(claims[w.Name], i)
			}
		}
	}
	for _, w := range words {
		of := claims[w.Name]
		named := slices.DeleteFunc(slices.Clone(of), func(i int) bool { return !strings.EqualFold(classes[i].Name, w.Name) })
		switch {
		case len(named) == 1:
			owned[named[0]] = append(owned[named[0]], w.Name)
		case len(of) == 1:
			owned[of[0]] = append(owned[of[0]], w.Name)
		}
	}
	return owned, nil
}

// freeNames makes every name stand for one word: a word's own name before all, then
// the names of a class for the class's word, then the first word that has it.
func freeNames(words []nouns.Word, classes []masks.Class, of []string) {
	owner := map[string]string{}
	own := func(name, word string) {
		if key := strings.ToLower(name); owner[key] == "" {
			owner[key] = word
		}
	}
	for _, w := range words {
		own(w.Name, w.Name)
	}
	for i, c := range classes {
		if of[i] != "" {
			own(clean(c.Name), of[i])
		}
	}
	for i, c := range classes {
		for _, n := range c.Synonyms {
			if of[i] != "" {
				own(clean(n), of[i])
			}
		}
	}
	for i, w := range words {
		for _, n := range w.Synonyms {
			own(n, w.Name)
		}
		words[i].Synonyms = slices.DeleteFunc(w.Synonyms, func(n string) bool { return owner[strings.ToLower(n)] != w.Name })
	}
}

// addName returns a word's synonyms with one more name, unless it has it.
func addName(w nouns.Word, name string) []string {
	if strings.EqualFold(w.Name, name) || containsFold(w.Synonyms, name) {
		return w.Synonyms
	}
	return append(w.Synonyms, name)
}

// clean is a class's name as an entry of a word list, where commas part names and a
// dash between spaces begins exceptions.
func clean(name string) string {
	return strings.TrimSpace(strings.NewReplacer(",", " ", " - ", " ").Replace(name))
}

func indexOf(words []nouns.Word, name string) int {
	return slices.IndexFunc(words, func(w nouns.Word) bool { return w.Name == name })
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
