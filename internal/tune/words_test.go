package tune

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/vocab"
)

// class is a class of masks as package masks reads it without a vocabulary.
func class(names ...string) masks.Class {
	c := masks.Class{Class: vocab.Class{Name: names[0], Synonyms: names[1:]}, Word: names[0]}
	if names[0] == "background" {
		c.Word = ""
	}
	return c
}

func TestVocabulary(t *testing.T) {
	model := modelWords(modelfile.Eval{
		Words:           [][]string{{"person", "man", "rider", "pedestrian"}, {"car"}, {"road", "street"}, {"house", "home"}, {"building"}, {"sky"}},
		BackgroundWords: []string{"road", "sky", "building", "house"},
	})
	stuff := nouns.Stuff
	for _, c := range []struct {
		name    string
		classes []masks.Class
		of      []string
		want    []nouns.Word
	}{
		{"a word of the model, by name and by synonym; a new one", []masks.Class{class("background"), class("car"), class("street"), class("pole")}, []string{"", "car", "road", "pole"}, []nouns.Word{
			{Name: "person", Synonyms: []string{"man", "rider", "pedestrian"}}, {Name: "car"}, {Name: "road", Synonyms: []string{"street"}, Kind: nouns.Body},
			{Name: "house", Synonyms: []string{"home"}, Kind: stuff}, {Name: "building", Kind: stuff}, {Name: "sky", Kind: stuff}, {Name: "pole"},
		}},
		{"two classes of one word", []masks.Class{class("pedestrian"), class("rider", "cyclist")}, []string{"pedestrian", "rider"}, []nouns.Word{
			{Name: "person", Synonyms: []string{"man"}}, {Name: "car"}, {Name: "road", Synonyms: []string{"street"}, Kind: stuff},
			{Name: "house", Synonyms: []string{"home"}, Kind: stuff}, {Name: "building", Kind: stuff}, {Name: "sky", Kind: stuff},
			{Name: "pedestrian"}, {Name: "rider", Synonyms: []string{"cyclist"}},
		}},
		{"one of two has the word's name", []masks.Class{class("man"), class("Person")}, []string{"man", "person"}, []nouns.Word{
			{Name: "person", Synonyms: []string{"rider", "pedestrian"}}, {Name: "car"}, {Name: "road", Synonyms: []string{"street"}, Kind: stuff},
			{Name: "house", Synonyms: []string{"home"}, Kind: stuff}, {Name: "building", Kind: stuff}, {Name: "sky", Kind: stuff}, {Name: "man"},
		}},
		{"one class of two words", []masks.Class{class("building", "house"), class("a, b")}, []string{"building", "a  b"}, []nouns.Word{
			{Name: "person", Synonyms: []string{"man", "rider", "pedestrian"}}, {Name: "car"}, {Name: "road", Synonyms: []string{"street"}, Kind: stuff},
			{Name: "building", Synonyms: []string{"house", "home"}, Kind: nouns.Body}, {Name: "sky", Kind: stuff}, {Name: "a  b"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			words, of, err := vocabulary(model, c.classes)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.of, of); diff != "" {
				t.Errorf("words of classes: %s", diff)
			}
			if diff := cmp.Diff(c.want, words, cmp.Transformer("empty", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
				t.Error(diff)
			}
			if _, err := nouns.List(words); err != nil {
				t.Error(err)
			}
		})
	}
	if words, of, err := vocabulary(nil, []masks.Class{class("a", "b")}); err != nil || len(words) != 1 || of[0] != "a" {
		t.Errorf("without words: %v %v %v", words, of, err)
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		n     int
		share float64
		want  []int
	}{
		{8, 0.25, []int{2, 6}}, {20, 0.25, []int{2, 6, 10, 14, 18}}, {2, 0.25, []int{1}}, {3, 0.01, []int{1}}, {5, 0, nil}, {4, 0.5, []int{1, 3}},
	} {
		learn, heldOut, err := split(c.n, c.share)
		if diff := cmp.Diff(c.want, heldOut); diff != "" || err != nil || len(learn)+len(heldOut) != c.n {
			t.Errorf("%d photos, %g: %v, learn from %v: %s", c.n, c.share, err, learn, diff)
		}
	}
	if _, _, err := split(1, 0.25); err == nil {
		t.Error("one photo can be learnt from and set aside")
	}
}
