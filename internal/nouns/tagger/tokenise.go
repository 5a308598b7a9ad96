package tagger

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/limits"
)

// tokenise parts a text into words and marks by the rules of the Penn Treebank,
// as NLTK's word_tokenize applies them: marks stand alone, except hyphens and
// full stops inside a text that no sentence ends at; quotes become “ and ”;
// n't, 's, 'll and the like are words; "cannot" and "gonna" are two.
func tokenise(text string) []string {
	text = text[:min(len(text), limits.CaptionBytes)]
	var words []string
	chunks := strings.Fields(strings.ToValidUTF8(text, ""))
	for i, chunk := range chunks {
		ends := i == len(chunks)-1 || startsSentence(chunks[i+1])
		words = appendChunk(words, chunk, ends, i == len(chunks)-1)
	}
	return words
}

// startsSentence says whether a word may start a sentence.
func startsSentence(word string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(word, `"'([`))
	return unicode.IsUpper(r)
}

// appendChunk parts one stretch without white space. sentence says that a
// sentence may end with it, last that the text does.
func appendChunk(words []string, chunk string, sentence, last bool) []string {
	var suffix []string
	push := func(mark string) { suffix = append([]string{mark}, suffix...) }
	for chunk != "" { // marks at the start
		r, n := utf8.DecodeRuneInString(chunk)
		switch {
		case r == '"' || r == '“':
			words, chunk = append(words, "``"), chunk[n:]
			continue
		case strings.HasPrefix(chunk, "..."):
			words, chunk = append(words, "..."), chunk[3:]
			continue
		case strings.HasPrefix(chunk, "--"):
			words, chunk = append(words, "--"), chunk[2:]
			continue
		case strings.ContainsRune("()[]{}<>;@#$%&?!,:‘", r):
			words, chunk = append(words, chunk[:n]), chunk[n:]
			continue
		}
		break
	}
	for chunk != "" { // marks at the end
		r, n := utf8.DecodeLastRuneInString(chunk)
		body := chunk[:len(chunk)-n]
		switch {
		case r == '"' || r == '”':
			push("''")
		case strings.HasSuffix(chunk, "..."):
			push("...")
			body = chunk[:len(chunk)-3]
		case strings.HasSuffix(chunk, "--"):
			push("--")
			body = chunk[:len(chunk)-2]
		case strings.ContainsRune("()[]{}<>;@#$%&?!,:’", r), r == '\'' && body != "":
			push(chunk[len(body):])
		case r == '.' && sentence && (last || !abbreviated(body)):
			push(".")
		default:
			return append(appendWord(words, chunk), suffix...)
		}
		chunk = body
	}
	return append(words, suffix...)
}

// abbreviated says whether a word keeps the full stop after it: an initial, one
// with stops inside, or a title.
func abbreviated(word string) bool {
	if utf8.RuneCountInString(word) == 1 || strings.Contains(word, ".") {
		return true
	}
	switch strings.ToLower(word) {
	case "mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "mt", "prof":
		return true
	}
	return false
}

// appendWord parts what is left after the marks around it: marks inside, and
// contractions.
func appendWord(words []string, word string) []string {
	start := 0
	for i, r := range word {
		n := utf8.RuneLen(r)
		switch {
		case i < start:
			continue
		case strings.ContainsRune("()[]{}<>;@#$%&?!\"“”", r):
		case (r == ',' || r == ':') && !startsWithDigit(word[i+1:]):
		case strings.HasPrefix(word[i:], "--"):
			n = 2
		case strings.HasPrefix(word[i:], "..."):
			n = 3
		default:
			continue
		}
		if i > start {
			words = appendContraction(words, word[start:i])
		}
		words = append(words, word[i:i+n])
		start = i + n
	}
	if start < len(word) {
		words = appendContraction(words, word[start:])
	}
	return words
}

func startsWithDigit(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }

// contractions are endings that are words of their own.
var contractions = []string{"n't", "'ll", "'re", "'ve", "'s", "'m", "'d"}

// joined are words of two, and where they part.
var joined = map[string]int{"cannot": 3, "gimme": 3, "gonna": 3, "gotta": 3, "lemme": 3, "wanna": 3}

func appendContraction(words []string, word string) []string {
	lower := strings.ToLower(word)
	if len(lower) == len(word) {
		for _, c := range contractions {
			if at := len(word) - len(c); at > 0 && strings.HasSuffix(lower, c) {
				return append(words, word[:at], word[at:])
			}
		}
		if at, ok := joined[lower]; ok {
			return append(words, word[:at], word[at:])
		}
	}
	return append(words, word)
}
