package nouns

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

// tagWords calls what follows an article or a number a noun, and all else a verb.
func tagWords(caption string) (words, tags []string) {
	words = strings.Fields(strings.Trim(caption, "."))
	for i := range words {
		tag := "VB"
		if i > 0 && slices.Contains([]string{"a", "an", "the", "The", "Three"}, words[i-1]) {
			tag = "NN"
		}
		tags = append(tags, tag)
	}
	return words, tags
}

// TestSurvey: words of the table are counted once a photo under their name, in
// singular, plural and synonyms; phrases go first; further nouns and tags come from
// the data; what is no region does not.
func TestSurvey(t *testing.T) {
	s, err := NewSurvey(tagWords)
	if err != nil {
		t.Fatal(err)
	}
	add := func(times int, captions, tags []string, written bool) {
		for range times {
			s.Add(s.Read(captions, tags, written))
		}
	}
	add(3, []string{"Two men and a woman walk a dog.", "A man with dogs."}, nil, true)
	add(2, []string{"a hot dog on a plate"}, nil, true)
	add(4, []string{"The zorp is standing beside a building in the background."}, nil, true)
	add(2, []string{"Three zorps jumping in midair"}, nil, true)
	add(5, []string{"a photo of an orange"}, []string{"orange"}, false)
	add(3, []string{"a photo of a neck brace"}, []string{"neck brace"}, false)
	add(3, []string{"a photo of a persian cat"}, []string{"persian cat"}, false)
	add(1, []string{"a lion"}, nil, true)
	got := map[string]int{}
	for _, w := range s.Vocabulary(2) {
		got[w.Name] = w.Count
		if w.Name == "zorp" && w.Kind != Thing {
			t.Errorf("zorp is %v", w.Kind)
		}
	}
	want := map[string]int{"person": 3, "dog": 3, "hot dog": 2, "plate": 2, "zorp": 6, "building": 4, "orange fruit": 5, "neck brace": 3, "cat": 3}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// A phrase of a word that is too rare still is no other word.
	for _, w := range s.Vocabulary(3) {
		if w.Name == "dog" && !slices.Contains(w.Except, "hot dog") {
			t.Errorf("dog: except %q", w.Except)
		}
		if w.Name == "hot dog" {
			t.Error("hot dog, which two photos name, is among words of three")
		}
	}
}

func TestSingulars(t *testing.T) {
	for plural, want := range map[string]string{
		"dogs": "dog", "buses": "bus", "boxes": "box", "skies": "sky", "women": "woman", "firemen": "fireman",
		"leaves": "leaf", "baby elephants": "baby elephant", "glass": "", "tennis": "", "bus": "", "cat": "", "gas": "",
	} {
		got := ""
		if list := singulars(plural); len(list) > 0 {
			got = list[0]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", plural, got, want)
		}
	}
}

// TestVocabularyFile: what is written is read; mistakes are told by the word.
func TestVocabularyFile(t *testing.T) {
	words := []Word{
		{Name: "dog", Kind: Thing, Synonyms: []string{"puppy", "shar-pei"}, Except: []string{"hot dog"}, Count: 812},
		{Name: "grass", Kind: Stuff}, {Name: "hat", Kind: Body, Count: 3}, {Name: "yes", Kind: Thing}, {Name: "7", Kind: Thing},
	}
	var b bytes.Buffer
	if err := WriteVocabulary(&b, words); err != nil {
		t.Fatal(err)
	}
	got, err := ReadVocabulary(&b)
	if err != nil || !reflect.DeepEqual(got, words) {
		t.Errorf("%+v, %v", got, err)
	}
	for want, text := range map[string]string{
		"it is empty":          "",
		"kind \"animal\"":      "- {name: dog, kind: animal}",
		"word 2":               "- {name: dog, kind: thing}\n- {name: cat}",
		"field colour":         "- {name: dog, kind: thing, colour: red}",
		"belongs to":           "- {name: dog, kind: thing, synonyms: [pup]}\n- {name: seal, kind: thing, synonyms: [pup]}",
		"twice":                "- {name: dog, kind: thing}\n- {name: dog, kind: thing}",
		"must not be negative": "- {name: dog, kind: thing, count: -1}",
		"no letter":            "- {name: '!', kind: thing}",
		"longer than":          "- {name: " + strings.Repeat("a", 2000) + ", kind: thing}",
		"cannot unmarshal":     "dog: thing",
	} {
		if _, err := ReadVocabulary(strings.NewReader(text)); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	b.Reset()
	for i := range limits.VocabularyWords + 1 {
		fmt.Fprintf(&b, "- {name: word%d, kind: thing}\n", i)
	}
	if _, err := ReadVocabulary(&b); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("too many words: %v", err)
	}
	if _, err := ReadVocabulary(strings.NewReader(strings.Repeat("#", limits.VocabularyBytes+1))); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("too many bytes: %v", err)
	}
}

// FuzzReadVocabulary: nothing panics, and what is read is written and read again.
func FuzzReadVocabulary(f *testing.F) {
	for _, seed := range []string{
		"- {name: dog, kind: thing, count: 3, synonyms: [puppy], except: [hot dog]}\n- name: grass\n  kind: stuff\n",
		"- &a {name: dog, kind: thing}\n- *a", "[]", "- [", "- {name: ~, kind: body}", "- {name: 'ß', kind: class, synonyms: [x, y]}",
		"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		words, err := ReadVocabulary(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := WriteVocabulary(&out, words); err != nil {
			t.Fatal(err)
		}
		again, err := ReadVocabulary(&out)
		if err != nil || len(again) != len(words) {
			t.Fatalf("%q: %v", out.String(), err)
		}
	})
}
