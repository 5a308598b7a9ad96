package bpe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// Sizes of CLIP's vocabulary.
const (
	// ClipVocabulary is the number of ids of [CLIP].
	ClipVocabulary = 49408
	// ClipContext is the length CLIP and GroupViT cut and pad texts to.
	ClipContext = 77
	// byteTokens is the number of ids before the first merge: every byte
	// inside a word and every byte at a word's end.
	byteTokens = 512
	// MinVocabulary is the smallest vocabulary of [Truncated]: bytes, start
	// and end, no merges.
	MinVocabulary = byteTokens + 2
)

// The two special tokens, as they stand in a text.
const (
	startToken = "<|startoftext|>"
	endToken   = "<|endoftext|>"
	wordEnd    = "</w>"
)

// clipMerges is a header line and 48,894 merges, one "left right" a line.
//
//go:embed clip/merges.txt.gz
var clipMerges []byte

// CLIP returns OpenAI CLIP's tokenizer. It is built once; all callers share it.
func CLIP() *Tokenizer { return clipOnce() }

var clipOnce = sync.OnceValue(func() *Tokenizer {
	t, err := truncated(ClipVocabulary)
	if err != nil {
		panic(err) // the embedded file is broken: the build is
	}
	return t
})

// Truncated returns CLIP's tokenizer with only its first vocabulary−514 merges,
// which are the most frequent. Ids: 256 bytes inside a word, 256 bytes at a
// word's end, the merges in order, then start (vocabulary−2) and end
// (vocabulary−1). Truncated(49408) is [CLIP]. Every text can still be encoded;
// rare words become longer.
//
// An error says when vocabulary is not in [514, 49408].
func Truncated(vocabulary int) (*Tokenizer, error) {
	if vocabulary == ClipVocabulary {
		return CLIP(), nil
	}
	return truncated(vocabulary)
}

func truncated(vocabulary int) (*Tokenizer, error) {
	if vocabulary < MinVocabulary || vocabulary > ClipVocabulary {
		return nil, fmt.Errorf("%w: a vocabulary of %d ids: CLIP's can be cut to %d to %d ids", ErrTokenizer, vocabulary, MinVocabulary, ClipVocabulary)
	}
	z, err := gzip.NewReader(bytes.NewReader(clipMerges))
	if err != nil {
		return nil, fmt.Errorf("embedded merges: %w", err)
	}
	lines := bufio.NewScanner(z)
	lines.Scan() // the header
	tokens := byteSymbols()
	merges := make([][2]string, 0, vocabulary-MinVocabulary)
	for len(merges) < cap(merges) && lines.Scan() {
		left, right, _ := strings.Cut(lines.Text(), " ")
		merges = append(merges, [2]string{left, right})
		tokens = append(tokens, left+right)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("embedded merges: %w", err)
	}
	return build(append(tokens, startToken, endToken), merges)
}

// byteSymbols returns the 512 symbols that stand for bytes, in id order. CLIP
// (like GPT-2) writes each byte as one printable character: the 188 printable
// Latin-1 ones as themselves and first, the other 68 as U+0100 and up.
func byteSymbols() []string {
	symbols := make([]string, 0, byteTokens)
	for _, b := range byteOrder() {
		symbols = append(symbols, string(byteRunes[b]))
	}
	for _, s := range symbols[:256] {
		symbols = append(symbols, s+wordEnd)
	}
	return symbols
}

// byteRunes is the character of each byte.
var byteRunes = func() (runes [256]rune) {
	next := rune(256)
	for b := range 256 {
		if printable(b) {
			runes[b] = rune(b)
		} else {
			runes[b] = next
			next++
		}
	}
	return runes
}()

// byteOrder lists the bytes in the order of their ids.
func byteOrder() []byte {
	var first, rest []byte
	for b := range 256 {
		if printable(b) {
			first = append(first, byte(b))
		} else {
			rest = append(rest, byte(b))
		}
	}
	return append(first, rest...)
}

func printable(b int) bool {
	return b >= 33 && b <= 126 || b >= 161 && b <= 172 || b >= 174
}
