package nouns

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrList is wrapped by every error about a word list.
var ErrList = errors.New("bad word list")

// Kind says what a word names. What is not said of a photo means different
// things: a photo captioned "a cow" shows no dog, but it may well show grass.
type Kind uint8

// The kinds of words.
const (
	Thing Kind = iota // a countable thing: car, ball
	Class             // a thing that is measured: cat, person
	Body              // clothes and parts of the body: shirt, mouth
	Stuff             // ground, scenery, rooms: grass, sky, kitchen
)

var kindNames = [...]string{"thing", "class", "body", "stuff"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", k)
}

// ParseKind is the inverse of [Kind.String].
func ParseKind(name string) (Kind, error) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("%w: kind %q: one of %s", ErrList, name, strings.Join(kindNames[:], ", "))
}

// Word is one entry of a word list.
type Word struct {
	// Name is what prompts say, and what [Finder.Nouns] returns for every
	// synonym.
	Name string
	// Kind says what the word names.
	Kind Kind
	// Synonyms are other words or phrases for it. Regular plurals of Name and
	// of the synonyms need not be listed.
	Synonyms []string
	// Except are phrases that contain the word and mean something else, as
	// "hot dog" does. They find nothing, unless another word claims them.
	Except []string
	// Count is how many photos of some data name the word; 0 is unknown.
	Count int
}

// WordList finds the words of a list; it implements [Finder] and is safe for
// concurrent use.
type WordList struct {
	words   []Word
	index   map[string]int // name → place in words
	phrases map[string]int // phrase, lower case, one space → place in words, −1 = nothing
	longest int            // words of the longest phrase
}

// List returns a finder of words. Case does not matter; where phrases overlap,
// the one that starts first wins, and of those the longest.
//
// An error names an empty word or a phrase that two words claim.
func List(words []Word) (*WordList, error) {
	l := &WordList{words: words, index: map[string]int{}, phrases: map[string]int{}}
	if len(words) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrList)
	}
	plurals := map[string]int{}
	for i, w := range words {
		if _, ok := l.index[w.Name]; ok {
			return nil, fmt.Errorf("%w: %q stands in it twice", ErrList, w.Name)
		}
		l.index[w.Name] = i
		for _, phrase := range append([]string{w.Name}, w.Synonyms...) {
			key, err := l.add(phrase, i)
			if err != nil {
				return nil, err
			}
			for _, p := range plural(key) {
				plurals[p] = i
			}
		}
	}
	for _, w := range words {
		for _, phrase := range w.Except {
			key := normal(phrase)
			_, named := l.phrases[key]
			if _, guessed := plurals[key]; named || guessed || key == "" {
				continue // another word claims it
			}
			if _, err := l.add(key, -1); err != nil {
				return nil, err
			}
			for _, p := range plural(key) {
				if _, ok := plurals[p]; !ok {
					plurals[p] = -1
				}
			}
		}
	}
	for p, i := range plurals { // a word that is named goes before a plural that is guessed
		if _, ok := l.phrases[p]; !ok {
			l.phrases[p] = i
		}
	}
	return l, nil
}

func (l *WordList) add(phrase string, word int) (string, error) {
	key := normal(phrase)
	if key == "" {
		return "", fmt.Errorf("%w: %q has no letter", ErrList, phrase)
	}
	if other, ok := l.phrases[key]; ok && other != word {
		return "", fmt.Errorf("%w: %q belongs to %s and to %s", ErrList, key, l.words[other].Name, l.words[word].Name)
	}
	l.phrases[key] = word
	l.longest = max(l.longest, strings.Count(key, " ")+1)
	return key, nil
}

// Words returns the list.
func (l *WordList) Words() []Word { return l.words }

// Word returns the entry of a name.
func (l *WordList) Word(name string) (Word, bool) {
	i, ok := l.index[name]
	if !ok {
		return Word{}, false
	}
	return l.words[i], true
}

// Find returns the entry that a whole phrase names: by its name, a synonym, or a
// plural of either.
func (l *WordList) Find(phrase string) (Word, bool) {
	i, ok := l.phrases[normal(phrase)]
	if !ok || i < 0 {
		return Word{}, false
	}
	return l.words[i], true
}

// Nouns returns the names of the list's words in a caption, in its order and
// with repetition.
func (l *WordList) Nouns(caption string) []string {
	var found []string
	l.scan(split(caption), func(_ []string, word int) {
		if word >= 0 {
			found = append(found, l.words[word].Name)
		}
	})
	return found
}

// Tag returns the names of the list's words in a tag, as in a caption that is made
// from it: "photo of an orange" may be a synonym where "orange" alone is a colour.
func (l *WordList) Tag(tag string) []string {
	article := "a"
	if t := normal(tag); t != "" && strings.ContainsRune("aeiou", rune(t[0])) {
		article = "an"
	}
	return l.Nouns("photo of " + article + " " + tag)
}

// scan calls found for each phrase of the list in a text of words, from left to
// right; word is its place in the list, −1 for one that means nothing.
func (l *WordList) scan(parts []string, found func(phrase []string, word int)) {
	for at := 0; at < len(parts); {
		taken := 1
		for n := min(l.longest, len(parts)-at); n >= 1; n-- {
			if word, ok := l.phrases[strings.Join(parts[at:at+n], " ")]; ok {
				found(parts[at:at+n], word)
				taken = n
				break
			}
		}
		at += taken
	}
}

// normal is a phrase in lower case with one space between its words.
func normal(phrase string) string { return strings.Join(split(phrase), " ") }

// split returns the words of a text in lower case: runs of letters and digits.
// A possessive ("dog's") counts as its noun.
func split(text string) []string {
	parts := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
	words := parts[:0]
	for _, p := range parts {
		p = strings.Trim(strings.ReplaceAll(p, "’", "'"), "'")
		p = strings.TrimSuffix(p, "'s")
		if p != "" {
			words = append(words, p)
		}
	}
	return words
}

// plural returns the regular plurals a phrase may have.
func plural(phrase string) []string {
	last := phrase[len(phrase)-1]
	stem := phrase[:len(phrase)-1]
	switch {
	case strings.HasSuffix(phrase, "ch"), strings.HasSuffix(phrase, "sh"), last == 's', last == 'x', last == 'z':
		return []string{phrase + "es"}
	case last == 'y' && len(stem) > 0 && !strings.ContainsRune("aeiou", rune(stem[len(stem)-1])):
		return []string{stem + "ies"}
	case last == 'f':
		return []string{stem + "ves", phrase + "s"}
	case strings.HasSuffix(phrase, "fe"):
		return []string{phrase[:len(phrase)-2] + "ves", phrase + "s"}
	case strings.HasSuffix(phrase, "man"):
		return []string{strings.TrimSuffix(phrase, "man") + "men"}
	case last == 'o':
		return []string{phrase + "s", phrase + "es"}
	}
	return []string{phrase + "s"}
}
