package tagger

import (
	"strings"
	"testing"
)

func TestTokenise(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"A dog runs .", "A dog runs ."},
		{"A dog runs.", "A dog runs ."},
		{"don't you think they're fine?", "do n't you think they 're fine ?"},
		{`the "red" ball`, "the `` red '' ball"},
		{"a man, a dog; a cat", "a man , a dog ; a cat"},
		{"black-and-white dog", "black-and-white dog"},
		{"at 12:30 for 1,000 people", "at 12:30 for 1,000 people"},
		{"the boys' toys", "the boys ' toys"},
		{"It runs. A dog sits.", "It runs . A dog sits ."},
		{"Mr. Smith's dog", "Mr. Smith 's dog"},
		{"wait... what--no", "wait ... what -- no"},
		{"(a cat)", "( a cat )"},
		{"they cannot", "they can not"},
		{"", ""},
		{" ' \" ", "' ``"},
		{"\xff\xfe", ""},
	} {
		if got := strings.Join(tokenise(c.text), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTagger(t *testing.T) {
	for _, c := range []struct{ caption, want string }{
		{"A black dog is running on the grass .", "dog is running grass"},
		{"Two children play with a dog and a dog .", "children play dog dog"},
		{"a photo of a cow", "photo cow"},
		{"", ""},
		{"! ? .", ""},
	} {
		if got := strings.Join(New().Nouns(c.caption), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.caption, got, c.want)
		}
	}
}

func FuzzTagger(f *testing.F) {
	for _, caption := range []string{"Mr. O'Neil's 12-year-old dog can't \"run\"...", "''\"\"--...", "\xff猫—n't"} {
		f.Add(caption)
	}
	f.Fuzz(func(t *testing.T, caption string) {
		words := tokenise(caption)
		if tags := perceptronOnce().tag(words); len(tags) != len(words) {
			t.Errorf("%d tags for %d words", len(tags), len(words))
		}
		for _, w := range words {
			if w == "" {
				t.Error("an empty word")
			}
		}
	})
}

func BenchmarkTagger(b *testing.B) {
	New().Nouns("a")
	for b.Loop() {
		New().Nouns("A black dog and a spotted dog are fighting in the street .")
	}
}
