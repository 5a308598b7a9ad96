package nouns

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// tableText is the table of words, with its own explanation.
//
//go:embed table.txt
var tableText string

// table is that text, read.
var table = sync.OnceValue(func() parsedTable {
	t, err := parseTable(tableText)
	if err != nil {
		panic(err) // what this package embeds is broken: a test holds it
	}
	return t
})

// parsedTable is a table of words, and the nouns that are no words.
type parsedTable struct {
	words []Word
	not   map[string]bool
}

// Table returns the words that captions of everyday photos use, several hundred, with
// their synonyms: things, clothes and parts of the body, ground and scenery. A
// vocabulary keeps those that its data name often enough.
func Table() []Word {
	words := make([]Word, len(table().words))
	copy(words, table().words)
	return words
}

// parseTable reads a table: sections "[thing]", "[body]", "[stuff]" of words, a line
// each, and "[not]" of nouns that name no region.
func parseTable(text string) (parsedTable, error) {
	t := parsedTable{not: map[string]bool{}}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
		case section == "not":
			for _, w := range strings.Fields(line) {
				t.not[w] = true
			}
		default:
			kind, err := ParseKind(section)
			if err != nil {
				return t, fmt.Errorf("%.60q: %w", line, err)
			}
			t.words = append(t.words, parseWord(line, kind))
		}
	}
	return t, nil
}

// parseWord reads "name, synonym, … - except, …".
func parseWord(line string, kind Kind) Word {
	line, except, _ := strings.Cut(line, " - ")
	names := strings.Split(line, ", ")
	w := Word{Name: names[0], Kind: kind, Synonyms: names[1:]}
	if except != "" {
		w.Except = strings.Split(except, ", ")
	}
	return w
}
