package bpe

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrTokenizer is wrapped by every error about a tokenizer or its files.
var ErrTokenizer = errors.New("bad tokenizer")

// Tokenizer turns text into ids and back. It is safe for concurrent use.
type Tokenizer struct {
	tokens     []string         // id → symbol
	ids        map[string]int32 // symbol → id
	merges     [][2]string      // in order of rank
	ranks      map[pair]merge   // what two adjacent symbols become
	bytes      [2][256]int32    // id of a byte: inside a word, at its end
	start, end int32

	mu    sync.RWMutex
	cache map[string][]int32 // ids of words seen before
}

// pair is two adjacent symbols, by id.
type pair struct{ left, right int32 }

// merge says what a pair becomes and when: lower ranks first.
type merge struct{ rank, id int32 }

// Caps of the cache of words: what is longer or later is encoded every time.
const (
	cacheWords = 1 << 16
	cacheBytes = 48 // of one word
)

// build makes a tokenizer of its symbols in id order and its merges in order of
// rank, and checks that they belong together.
func build(tokens []string, merges [][2]string) (*Tokenizer, error) {
	t := &Tokenizer{
		tokens: tokens,
		merges: merges,
		ids:    make(map[string]int32, len(tokens)),
		ranks:  make(map[pair]merge, len(merges)),
		cache:  make(map[string][]int32),
	}
	for i, s := range tokens {
		if j, ok := t.ids[s]; ok {
			return nil, fmt.Errorf("%w: the symbol %.40q has two ids, %d and %d", ErrTokenizer, s, j, i)
		}
		t.ids[s] = int32(i)
	}
	for b := range 256 {
		for k, suffix := range []string{"", wordEnd} {
			id, ok := t.ids[string(byteRunes[b])+suffix]
			if !ok {
				return nil, fmt.Errorf("%w: the vocabulary has no symbol %q for byte %d: not a byte-level vocabulary with %q at the end of words, as CLIP's is", ErrTokenizer, string(byteRunes[b])+suffix, b, wordEnd)
			}
			t.bytes[k][b] = id
		}
	}
	var ok [2]bool
	t.start, ok[0] = t.ids[startToken]
	t.end, ok[1] = t.ids[endToken]
	if !ok[0] || !ok[1] {
		return nil, fmt.Errorf("%w: the vocabulary has no %s or no %s", ErrTokenizer, startToken, endToken)
	}
	for rank, m := range merges {
		left, ok0 := t.ids[m[0]]
		right, ok1 := t.ids[m[1]]
		id, ok2 := t.ids[m[0]+m[1]]
		if !ok0 || !ok1 || !ok2 {
			return nil, fmt.Errorf("%w: merge %d (%.40q and %.40q): a part or the result is not in the vocabulary", ErrTokenizer, rank+1, m[0], m[1])
		}
		p := pair{left, right}
		if _, ok := t.ranks[p]; !ok {
			t.ranks[p] = merge{int32(rank), id}
		}
	}
	return t, nil
}

// Vocabulary returns the number of ids: embeddings that a model needs.
func (t *Tokenizer) Vocabulary() int { return len(t.tokens) }

// Start returns the id that starts every encoded text.
func (t *Tokenizer) Start() int32 { return t.start }

// End returns the id that ends every encoded text. In CLIP's vocabulary and its
// prefixes it is the largest id, by which the text tower finds it.
func (t *Tokenizer) End() int32 { return t.end }

// Encode returns exactly context ids: start, the text's tokens, end, then zeros.
// A text that is too long is cut so that the last id is end, as CLIP does. A
// context below 1 gives an empty result.
func (t *Tokenizer) Encode(text string, context int) []int32 {
	if context < 1 {
		return nil
	}
	ids := make([]int32, 0, max(context, 32))
	ids = append(t.tokenise(append(ids, t.start), text, context), t.end)
	if len(ids) > context {
		ids = ids[:context]
		ids[context-1] = t.end
		return ids
	}
	for len(ids) < context {
		ids = append(ids, 0)
	}
	return ids[:context:context]
}

// Tokens returns the ids of a text, all of them, without start and end. A text
// longer than [limits.CaptionBytes] is cut there, at a character.
func (t *Tokenizer) Tokens(text string) []int32 {
	return t.tokenise(nil, text, math.MaxInt)
}

// tokenise appends the ids of text and stops once ids has at least enough.
func (t *Tokenizer) tokenise(ids []int32, text string, enough int) []int32 {
	if len(text) > limits.CaptionBytes {
		cut := limits.CaptionBytes
		for cut > limits.CaptionBytes-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	text = clean(text)
	for len(text) > 0 && len(ids) < enough {
		if text[0] == ' ' {
			text = text[1:]
			continue
		}
		n := piece(text)
		ids = t.word(ids, text[:n])
		text = text[n:]
	}
	return ids
}

// word appends the ids of one piece of text.
func (t *Tokenizer) word(ids []int32, word string) []int32 {
	t.mu.RLock()
	known, ok := t.cache[word]
	t.mu.RUnlock()
	if ok {
		return append(ids, known...)
	}
	switch word {
	case startToken:
		return append(ids, t.start)
	case endToken:
		return append(ids, t.end)
	}
	symbols := make([]int32, len(word))
	for i := range len(word) {
		symbols[i] = t.bytes[0][word[i]]
	}
	symbols[len(word)-1] = t.bytes[1][word[len(word)-1]]
	symbols = t.mergeAll(symbols)
	if len(word) <= cacheBytes {
		t.mu.Lock()
		if len(t.cache) < cacheWords {
			t.cache[strings.Clone(word)] = symbols
		}
		t.mu.Unlock()
	}
	return append(ids, symbols...)
}

// Decode returns the text of ids, up to the first end token and without the
// start token; words are parted by one space. Unknown ids are left out, and
// bytes that are no UTF-8 become U+FFFD.
func (t *Tokenizer) Decode(ids []int32) string {
	var text []byte
	for _, id := range ids {
		if id == t.end {
			break
		}
		if id == t.start || id < 0 || int(id) >= len(t.tokens) {
			continue
		}
		s, last := strings.CutSuffix(t.tokens[id], wordEnd)
		for _, r := range s {
			if b, ok := runeBytes[r]; ok {
				text = append(text, b)
			}
		}
		if last {
			text = append(text, ' ')
		}
	}
	return strings.TrimRight(strings.ToValidUTF8(string(text), "\uFFFD"), " ")
}

// runeBytes is the byte of each character of [byteRunes].
var runeBytes = func() map[rune]byte {
	m := make(map[rune]byte, 256)
	for b, r := range byteRunes {
		m[r] = byte(b)
	}
	return m
}()
