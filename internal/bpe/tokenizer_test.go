package bpe

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/limits"
)

func TestCheckValues(t *testing.T) {
	for _, c := range checkValues {
		t.Run(fmt.Sprintf("%.30q", c.text), func(t *testing.T) {
			got := CLIP().Encode(c.text, ClipContext)
			if len(got) != ClipContext {
				t.Fatalf("%d ids, want %d", len(got), ClipContext)
			}
			if !slices.Equal(got[:len(c.ids)], c.ids) {
				t.Errorf("got  %v\nwant %v", got[:len(c.ids)+2], c.ids)
			}
			for i, id := range got[len(c.ids):] {
				if id != 0 {
					t.Fatalf("id %d is %d, want padding", len(c.ids)+i, id)
				}
			}
		})
	}
}

func TestEncodeTooLong(t *testing.T) {
	got := CLIP().Encode(strings.Repeat("word ", 100), ClipContext)
	want := append(append([]int32{49406}, slices.Repeat([]int32{2653}, 75)...), 49407)
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestEncodeContexts(t *testing.T) {
	for _, c := range []struct {
		name    string
		context int
		want    []int32
	}{
		{"fits exactly", 4, []int32{49406, 320, 2368, 49407}},
		{"cut", 3, []int32{49406, 320, 49407}},
		{"start and end", 2, []int32{49406, 49407}},
		{"end alone", 1, []int32{49407}},
		{"nothing", 0, nil},
		{"padded", 6, []int32{49406, 320, 2368, 49407, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CLIP().Encode("a cat", c.context); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Texts from hostile hands: any length, any bytes.
func TestHostileTexts(t *testing.T) {
	for name, text := range map[string]string{
		"5,000 words":              strings.Repeat("supercalifragilistic ", 5000),
		"one word of 10,000 bytes": strings.Repeat("a", 10_000),
		"a megabyte of letters":    strings.Repeat("xyz", 1<<20/3),
		"a megabyte of é":          strings.Repeat("é", 1<<19),
		"not UTF-8":                "cat \xff\xfe\x80 dog",
		"zero bytes":               "\x00\x00\x00",
		"only ampersands":          strings.Repeat("&amp;", 5000),
		"nested entities":          "&" + strings.Repeat("amp;", 5000) + "lt;",
		"only escapes":             strings.Repeat("\x1b[31m", 5000),
		"only combining marks":     strings.Repeat("\u0301", 5000),
		"emoji":                    strings.Repeat("👩‍🚀", 500),
		"mojibake upon mojibake":   strings.Repeat("ÃÂ", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			got := CLIP().Encode(text, ClipContext)
			if len(got) != ClipContext || got[0] != 49406 || !slices.Contains(got, 49407) {
				t.Errorf("got %v", got)
			}
			for _, id := range CLIP().Tokens(text) {
				if id < 0 || int(id) >= ClipVocabulary {
					t.Fatalf("id %d", id)
				}
			}
		})
	}
}

func TestCutAtCharacter(t *testing.T) {
	// The cap falls inside the second byte of an é.
	text := "x" + strings.Repeat("é", limits.CaptionBytes)
	cut := text[:limits.CaptionBytes-1]
	if !utf8.ValidString(cut) {
		t.Fatal("the test's own cut is wrong")
	}
	if !slices.Equal(CLIP().Tokens(text), CLIP().Tokens(cut)) {
		t.Error("a long text is not cut at a character")
	}
}

func TestTruncated(t *testing.T) {
	small, err := Truncated(4096)
	if err != nil {
		t.Fatal(err)
	}
	if small.Vocabulary() != 4096 || small.Start() != 4094 || small.End() != 4095 {
		t.Errorf("vocabulary %d, start %d, end %d", small.Vocabulary(), small.Start(), small.End())
	}
	const text = "a photo of a golden retriever, catching a frisbee"
	ids := small.Tokens(text)
	for _, id := range ids {
		if id >= 4094 {
			t.Errorf("id %d is outside the words", id)
		}
	}
	if len(ids) <= len(CLIP().Tokens(text)) {
		t.Errorf("%d ids, no more than with the whole list", len(ids))
	}
	if got, want := small.Decode(ids), "a photo of a golden retriever , catching a frisbee"; got != want {
		t.Errorf("decoded %q, want %q", got, want)
	}
	// A frequent word has the same id at every size.
	if got, want := small.Tokens("a dog"), CLIP().Tokens("a dog"); !slices.Equal(got, want) {
		t.Errorf("a dog: %v, in CLIP %v", got, want)
	}
	if whole, err := Truncated(ClipVocabulary); err != nil || whole != CLIP() {
		t.Errorf("Truncated(%d) is not CLIP(): %v", ClipVocabulary, err)
	}
	bytesOnly, err := Truncated(MinVocabulary)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(bytesOnly.Tokens("cat")); got != 3 {
		t.Errorf("without merges: cat has %d ids, want 3", got)
	}
	for _, vocabulary := range []int{-1, 0, MinVocabulary - 1, ClipVocabulary + 1} {
		if _, err := Truncated(vocabulary); err == nil {
			t.Errorf("a vocabulary of %d is taken", vocabulary)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"A photo of a CAT.", "a photo of a cat ."},
		{"I love 🍕 and 👩‍🚀", "i love 🍕 and 👩‍🚀"},
		{"", ""},
		{"café", "café"},
	} {
		if got := CLIP().Decode(CLIP().Encode(c.text, ClipContext)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if got := CLIP().Decode([]int32{-1, 320, 1 << 20, 2368}); got != "a cat" {
		t.Errorf("unknown ids: %q", got)
	}
	if got := CLIP().Decode([]int32{200}); !utf8.ValidString(got) {
		t.Errorf("half a character: %q", got)
	}
}

// The rules of ftfy and of Python's casing, one by one; what is not done is in
// the package's documentation.
func TestClean(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"entity", "a &lt; b", "a < b"},
		{"entity twice", "&amp;amp;", "&"},
		{"entity beside a tag", "<b> &amp;amp;lt;", "<b> &lt;"},
		{"entity without semicolon", "a &amp b", "a & b"},
		{"mojibake of a letter", "schÃ¶n", "schön"},
		{"mojibake of a quote", "itâ€™s", "it's"},
		{"mojibake of an emoji", "ðŸ¶", "ðÿ¶"}, // a byte was lost
		{"mojibake of Cyrillic", "Ð¿Ñ€Ð¸", "при"},
		{"mojibake twice", "schÃƒÂ¶n", "schön"},
		{"no mojibake", "ÄÖÜ ça và", "äöü ça và"},
		{"no mojibake: one pair", "Ñ€ñ", "ñ€ñ"},
		{"C1 control", "it\u0092s", "it's"},
		{"ligature", "ﬁne ĳs ŉ", "fine ijs 'n"},
		{"full width", "ＡＢ，　ｃ", "ab, c"},
		{"half width", "ｶﾀ", "カタ"},
		{"quotes", "‘a’ “b” ʼ ‟", "'a' \"b\" ' \""},
		{"line separators", "a\u2028b\u2029c\rd\r\ne", "a b c d e"},
		{"terminal", "\x1b[31;1mred\x1b[0m", "red"},
		{"control characters", "a\x00b\x0bc\x1cd", "abcd"},
		{"byte order mark", "\ufeffa", "a"},
		{"NFC", "e\u0301", "é"},
		{"white space", " a\t\n\u00a0b ", "a b"},
		{"dotted I", "İ", "i\u0307"},
		{"final sigma", "ΟΔΟΣ ΟΔΟΣ.", "οδος οδος."},
		{"sigma inside and alone", "ΣΑΣΑ Σ", "σασα σ"},
		{"sigma before a mark", "ΑΣ\u0345", "ας\u0345"},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := clean(c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	small, err := Truncated(2000)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				small.Encode(fmt.Sprintf("word%d of many %d", i, i*i), 32)
			}
		})
	}
	wg.Wait()
}

// mergeNaive is the definition: find the best pair, merge all its occurrences
// from left to right, again.
func mergeNaive(t *Tokenizer, symbols []int32) []int32 {
	for {
		best := merge{rank: -1}
		var which pair
		for i := range len(symbols) - 1 {
			p := pair{symbols[i], symbols[i+1]}
			if m, ok := t.ranks[p]; ok && (best.rank < 0 || m.rank < best.rank) {
				best, which = m, p
			}
		}
		if best.rank < 0 {
			return symbols
		}
		var merged []int32
		for i := 0; i < len(symbols); i++ {
			if i+1 < len(symbols) && (pair{symbols[i], symbols[i+1]}) == which {
				merged = append(merged, best.id)
				i++
			} else {
				merged = append(merged, symbols[i])
			}
		}
		symbols = merged
	}
}

func FuzzMerge(f *testing.F) {
	for _, word := range []string{"a", "aaaa", "supercalifragilisticexpialidocious", strings.Repeat("aab", 40), "東京タワー"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if word == "" || len(word) > 4096 {
			return
		}
		tok := CLIP()
		symbols := make([]int32, len(word))
		for i := range len(word) {
			symbols[i] = tok.bytes[0][word[i]]
		}
		symbols[len(word)-1] = tok.bytes[1][word[len(word)-1]]
		want := mergeNaive(tok, slices.Clone(symbols))
		if got := tok.mergeHeap(slices.Clone(symbols)); !slices.Equal(got, want) {
			t.Errorf("heap: %v, want %v", got, want)
		}
		if got := tok.mergeAll(slices.Clone(symbols)); !slices.Equal(got, want) {
			t.Errorf("mergeAll: %v, want %v", got, want)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, c := range checkValues {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids := CLIP().Encode(text, 77)
		if len(ids) != 77 || ids[0] != 49406 {
			t.Fatalf("ids %v", ids)
		}
		cleaned := clean(text)
		if !utf8.ValidString(cleaned) {
			t.Fatalf("cleaned text is no UTF-8: %q", cleaned)
		}
		CLIP().Decode(CLIP().Tokens(text))
	})
}

func BenchmarkEncode(b *testing.B) {
	captions := []string{
		"A child in a pink dress is climbing up a set of stairs in an entry way .",
		"A black dog and a spotted dog are fighting",
		"Two dogs of different breeds looking at each other on the road .",
	}
	for i := 0; b.Loop(); i++ {
		CLIP().Encode(captions[i%len(captions)], ClipContext)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "captions/s")
}
