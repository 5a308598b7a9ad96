package bpe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// piece returns the length in bytes of the first piece of a cleaned text that
// does not start with a space. CLIP's pattern, the first alternative that fits
// at this place: a special token, one of the English contractions, a run of
// letters, one number character, a run of anything else but spaces.
func piece(text string) int {
	if text[0] == '<' {
		for _, token := range []string{startToken, endToken} {
			if strings.HasPrefix(text, token) {
				return len(token)
			}
		}
	}
	if text[0] == '\'' {
		if n := contraction(text); n > 0 {
			return n
		}
	}
	first := classOf(text)
	if first.class == number {
		return first.size
	}
	n := first.size
	for n < len(text) {
		c := classOf(text[n:])
		if c.class != first.class {
			break
		}
		n += c.size
	}
	return n
}

// contraction returns the length of 's, 't, 're, 've, 'm, 'll or 'd at the start
// of a text, or 0. The pattern ignores case, by which ſ (U+017F) is an s.
func contraction(text string) int {
	rest := text[1:]
	if rest == "" {
		return 0
	}
	switch rest[0] {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if len(rest) > 1 && rest[1] == 'e' {
			return 3
		}
	case 'l':
		if len(rest) > 1 && rest[1] == 'l' {
			return 3
		}
	}
	if strings.HasPrefix(rest, "ſ") {
		return 1 + len("ſ")
	}
	return 0
}

type class uint8

const (
	other class = iota
	letter
	number
	space
)

type classed struct {
	class class
	size  int
}

// classOf says what the first character of text is and how many bytes it has.
func classOf(text string) classed {
	if b := text[0]; b < utf8.RuneSelf {
		return classed{asciiClasses[b], 1}
	}
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case unicode.IsLetter(r):
		return classed{letter, size}
	case unicode.IsNumber(r):
		return classed{number, size}
	case unicode.IsSpace(r):
		return classed{space, size}
	}
	return classed{other, size}
}

var asciiClasses = func() (classes [utf8.RuneSelf]class) {
	for b := range classes {
		switch r := rune(b); {
		case unicode.IsLetter(r):
			classes[b] = letter
		case unicode.IsNumber(r):
			classes[b] = number
		case unicode.IsSpace(r):
			classes[b] = space
		}
	}
	return classes
}()
