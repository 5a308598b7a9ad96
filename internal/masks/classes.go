package masks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Class is what a class of masks means in a label map.
type Class struct {
	vocab.Class
	// Word is the word that stands for it, "" for background and ignored pixels: the
	// vocabulary's for its name or a synonym, else its own name.
	Word string
	// Known is whether the vocabulary has the word.
	Known bool
	// Ignored is set for classes that say that nobody knows, as "void".
	Ignored bool
}

// Background reports whether it is the class of everything that is not named.
func (c Class) Background() bool { return c.Word == "" && !c.Ignored }

// ignoredNames are what data sets call pixels that do not count.
var ignoredNames = []string{"void", "ignore", "ignored", "unlabeled", "unlabelled", "unknown"}

// classes looks up the words of a dataset's classes.
func classes(list []vocab.Class, words *nouns.WordList) ([]Class, error) {
	var out []Class
	var used []string
	for _, c := range list {
		n := Class{Class: c}
		switch name := strings.ToLower(strings.TrimSpace(c.Name)); {
		case name == vocab.Background:
		case slices.Contains(ignoredNames, name):
			n.Ignored = true
		default:
			n.Word, n.Known = wordOf(c, words)
		}
		if n.Word != "" && !slices.Contains(used, n.Word) {
			used = append(used, n.Word)
		}
		out = append(out, n)
	}
	if len(used) == 0 {
		return nil, fmt.Errorf("%w: no class is named but background", ErrSource)
	}
	if len(used) > pairs.MaxLabelWords {
		return nil, fmt.Errorf("%w: %d classes are named, a label map tells %d apart", ErrSource, len(used), pairs.MaxLabelWords)
	}
	return out, nil
}

// wordOf is the word of a class, and whether the vocabulary has it.
func wordOf(c vocab.Class, words *nouns.WordList) (word string, known bool) {
	if words != nil {
		for _, name := range c.Names() {
			if w, ok := words.Find(name); ok {
				return w.Name, true
			}
		}
	}
	return c.Name, false
}

// Words are the words of classes, each once, in their order.
func Words(list []Class) []string {
	var out []string
	for _, c := range list {
		if c.Word != "" && !slices.Contains(out, c.Word) {
			out = append(out, c.Word)
		}
	}
	return out
}

// notes say what became of classes that are not taken as they are.
func notes(list []Class, words *nouns.WordList) []string {
	var ignored, merged, unknown []string
	first := map[string]string{}
	for _, c := range list {
		switch other, again := first[c.Word]; {
		case c.Ignored:
			ignored = append(ignored, c.Name)
		case c.Word == "":
		case again:
			merged = append(merged, fmt.Sprintf("%s and %s are %q", other, c.Name, c.Word))
		default:
			first[c.Word] = c.Name
			if words != nil && !c.Known {
				unknown = append(unknown, c.Name)
			}
		}
	}
	var out []string
	if len(ignored) > 0 {
		out = append(out, fmt.Sprintf("ignored: pixels of %s", strings.Join(ignored, ", ")))
	}
	if len(merged) > 0 {
		out = append(out, fmt.Sprintf("one word in the vocabulary: %s", strings.Join(merged, "; ")))
	}
	if len(unknown) > 0 {
		out = append(out, fmt.Sprintf("not in the vocabulary, taken as words of their own: %s", strings.Join(unknown, ", ")))
	}
	return out
}
