package bpe

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

func small(t testing.TB) *Tokenizer {
	t.Helper()
	small, err := Truncated(700)
	if err != nil {
		t.Fatal(err)
	}
	return small
}

// Files written here are read to the same tokenizer, each way.
func TestSaveAndLoad(t *testing.T) {
	for name, saved := range map[string]*Tokenizer{"small": small(t), "whole": CLIP()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := saved.Save(dir); err != nil {
				t.Fatal(err)
			}
			check := func(how string) {
				t.Helper()
				got, err := Load(dir)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if !slices.Equal(got.tokens, saved.tokens) || !slices.Equal(got.merges, saved.merges) || !maps.Equal(got.ranks, saved.ranks) || got.end != saved.end {
					t.Errorf("%s: another tokenizer", how)
				}
				for _, c := range checkValues {
					if want := saved.Encode(c.text, 77); !slices.Equal(got.Encode(c.text, 77), want) {
						t.Errorf("%s: %q", how, c.text)
					}
				}
			}
			check("all files")
			if err := os.Remove(filepath.Join(dir, TokenizerFile)); err != nil {
				t.Fatal(err)
			}
			check("vocab.json and merges.txt")
			if err := saved.Save(dir); err != nil {
				t.Fatal(err)
			}
			for _, f := range []string{VocabularyFile, MergesFile, ConfigFile, SpecialTokensFile} {
				if err := os.Remove(filepath.Join(dir, f)); err != nil {
					t.Fatal(err)
				}
			}
			check("tokenizer.json alone")
		})
	}
}

func TestMergesAsPairs(t *testing.T) {
	files, err := small(t).Files(ClipContext)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(files[TokenizerFile], &file); err != nil {
		t.Fatal(err)
	}
	model := file["model"].(map[string]any)
	var pairs [][]string
	for _, m := range model["merges"].([]any) {
		pairs = append(pairs, strings.Split(m.(string), " "))
	}
	model["merges"] = pairs
	b, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := FromFiles(map[string][]byte{TokenizerFile: b})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.merges, small(t).merges) {
		t.Error("other merges")
	}
}

func TestBadFiles(t *testing.T) {
	files, err := small(t).Files(ClipContext)
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(name, old, new string) map[string][]byte {
		t.Helper()
		if !bytes.Contains(files[name], []byte(old)) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		return map[string][]byte{name: bytes.Replace(files[name], []byte(old), []byte(new), 1)}
	}
	pair := func(change map[string][]byte) map[string][]byte {
		all := map[string][]byte{VocabularyFile: files[VocabularyFile], MergesFile: files[MergesFile]}
		maps.Copy(all, change)
		return all
	}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		says  string
	}{
		{"none", nil, "neither"},
		{"only other files", map[string][]byte{ConfigFile: []byte("{}")}, "neither"},
		{"vocab.json alone", map[string][]byte{VocabularyFile: files[VocabularyFile]}, "go together"},
		{"empty", map[string][]byte{TokenizerFile: nil}, TokenizerFile},
		{"no object", map[string][]byte{TokenizerFile: []byte("[]")}, TokenizerFile},
		{"cut", map[string][]byte{TokenizerFile: files[TokenizerFile][:1000]}, TokenizerFile},
		{"another model", replaced(TokenizerFile, `"BPE"`, `"Unigram"`), "only BPE"},
		{"another end of words", replaced(TokenizerFile, `"end_of_word_suffix":"</w>"`, `"end_of_word_suffix":""`), "end of words"},
		{"continued words", replaced(TokenizerFile, `"continuing_subword_prefix":""`, `"continuing_subword_prefix":"##"`), "continued"},
		{"a gap in the ids", replaced(TokenizerFile, `"!":0,`, `"!":70000,`), "without a gap"},
		{"an id twice", replaced(TokenizerFile, `"!":0,`, `"!":1,`), "belongs to"},
		{"a negative id", replaced(TokenizerFile, `"!":0,`, `"!":-1,`), "without a gap"},
		{"an id that is no number", replaced(TokenizerFile, `"!":0,`, `"!":0.5,`), TokenizerFile},
		{"a byte is missing", replaced(TokenizerFile, `"!":0,`, `"!!!":0,`), "byte"},
		{"a merge of three", replaced(TokenizerFile, `"i n"`, `"i n n"`), "merge 1"},
		{"a merge of numbers", replaced(TokenizerFile, `"i n"`, `7`), "merge 1"},
		{"a merge of unknown symbols", replaced(TokenizerFile, `"i n"`, `"i猫 n"`), "not in the vocabulary"},
		{"no special token", replaced(TokenizerFile, `"content":"<|endoftext|>"`, `"content":"<|end|>"`), "belongs to"},
		{"vocab.json is a list", pair(map[string][]byte{VocabularyFile: []byte("[1]")}), VocabularyFile},
		{"vocab.json is empty", pair(map[string][]byte{VocabularyFile: []byte("{}")}), "byte"},
		{"merges.txt is prose", pair(map[string][]byte{MergesFile: []byte("#version: 0.2\nthis is no merge\n")}), "line 2"},
		{"a line without end", pair(map[string][]byte{MergesFile: bytes.Repeat([]byte("x"), 1<<20)}), "too long"},
		{"too large", map[string][]byte{TokenizerFile: make([]byte, limits.TokenizerBytes+1)}, "limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := FromFiles(c.files)
			if !errors.Is(err, ErrTokenizer) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, ErrNoTokenizer) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, ErrNoTokenizer) {
		t.Errorf("a missing directory: %v", err)
	}
	if err := CLIP().Save(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("saved to a missing directory")
	}
}

func FuzzTokenizerJSON(f *testing.F) {
	f.Add([]byte(`{"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":{"a":0},"merges":["a b",["a","b"]]},"added_tokens":[{"id":1,"content":"x"}]}`))
	files, err := small(f).Files(ClipContext)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(files[TokenizerFile])
	f.Fuzz(func(t *testing.T, b []byte) {
		if tok, err := FromFiles(map[string][]byte{TokenizerFile: b}); err == nil {
			tok.Encode("a photo", 77)
		} else if !errors.Is(err, ErrTokenizer) {
			t.Error(err)
		}
	})
}

func FuzzVocabularyAndMerges(f *testing.F) {
	files, err := small(f).Files(ClipContext)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(files[VocabularyFile], files[MergesFile])
	f.Add([]byte(`{"a":0}`), []byte("a b"))
	f.Fuzz(func(t *testing.T, vocabulary, merges []byte) {
		tok, err := FromFiles(map[string][]byte{VocabularyFile: vocabulary, MergesFile: merges})
		if err != nil {
			return
		}
		for _, id := range tok.Tokens("a photo of a cat, " + string(merges[:min(len(merges), 100)])) {
			if id < 0 || int(id) >= tok.Vocabulary() {
				t.Fatalf("id %d of %d", id, tok.Vocabulary())
			}
		}
	})
}
