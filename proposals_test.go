package groupvit_test

import (
	"errors"
	"image"
	"os"
	"slices"
	"testing"

	"github.com/groupvit/groupvit"
)

func openWordModel(t *testing.T) (*groupvit.Model, image.Image) {
	t.Helper()
	if !hasDefault() {
		t.Skip("no models/default")
	}
	m, err := groupvit.Open(t.Context(), groupvit.DefaultModel, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	f, err := os.Open("examples/photos/cat.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := groupvit.Decode(f, "cat.jpg")
	if err != nil {
		t.Fatal(err)
	}
	return m, im
}

// TestPropose: the surest words first, within the bounds asked for, from the model's
// vocabulary; a photo whose half is a cat calls for the cat.
func TestPropose(t *testing.T) {
	m, im := openWordModel(t)
	e, err := m.Encode(t.Context(), im, nil)
	if err != nil {
		t.Fatal(err)
	}
	words, trained := m.Vocabulary()
	if !trained || len(words) < 100 {
		t.Fatalf("the vocabulary has %d words, trained: %v", len(words), trained)
	}
	known := func(name string) bool {
		return slices.ContainsFunc(words, func(w groupvit.Word) bool { return w.Name == name && w.Captions > 0 })
	}
	all, err := e.Propose(t.Context(), &groupvit.ProposeOptions{Top: 20, Least: 1e-6})
	if err != nil || len(all) != 20 {
		t.Fatalf("%d words of 20 asked for, %v", len(all), err)
	}
	for i, p := range all {
		if !known(p.Word) || p.Score <= 0 || p.Score > 1 || i > 0 && p.Score > all[i-1].Score {
			t.Errorf("word %d is %+v after %+v", i, p, all[max(i-1, 0)])
		}
	}
	if !slices.ContainsFunc(all[:3], func(p groupvit.Proposal) bool { return p.Word == "cat" }) {
		t.Errorf("the cat is not among the first three: %+v", all[:3])
	}
	for _, o := range []*groupvit.ProposeOptions{nil, {Top: 2, Least: 1e-6}, {Least: 1}} {
		some, err := e.Propose(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		top, least := groupvit.DefaultTop, groupvit.DefaultLeast
		if o != nil && o.Top > 0 {
			top = o.Top
		}
		if o != nil {
			least = o.Least
		}
		want := 1 // the surest in any case
		for want < top && all[want].Score >= least {
			want++
		}
		if !slices.Equal(some, all[:want]) {
			t.Errorf("with %+v: %+v, want the first %d of %+v", o, some, want, all)
		}
	}
	for _, o := range []groupvit.ProposeOptions{{Top: -1}, {Top: 101}, {Least: -0.1}, {Least: 1.1}} {
		if _, err := e.Propose(t.Context(), &o); !errors.Is(err, groupvit.ErrOption) {
			t.Errorf("%+v: %v, want ErrOption", o, err)
		}
	}
}

// TestSegmentAuto: labels are the proposed words, and the map is that of a query for them.
func TestSegmentAuto(t *testing.T) {
	m, im := openWordModel(t)
	s, err := m.SegmentAuto(t.Context(), im, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, p := range s.Proposed {
		words = append(words, p.Word)
	}
	if len(words) == 0 || !slices.Equal(words, s.Labels) {
		t.Fatalf("labels %q of the proposed %q", s.Labels, words)
	}
	asked, err := m.Segment(t.Context(), im, words, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked.Map.Labels, s.Map.Labels) || asked.Proposed != nil {
		t.Error("the map differs from that of a query for the same words")
	}
}

// TestNearWords: a label that training hardly knew comes with words that it knew.
func TestNearWords(t *testing.T) {
	m, im := openWordModel(t)
	s, err := m.Segment(t.Context(), im, []string{"cat", "xylophone"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	words, _ := m.Vocabulary()
	if len(s.RareWords) != 1 || s.RareWords[0].Label != "xylophone" || len(s.RareWords[0].Near) != 3 {
		t.Fatalf("rare words are %+v, want xylophone with three near words", s.RareWords)
	}
	for _, near := range s.RareWords[0].Near {
		if !slices.ContainsFunc(words, func(w groupvit.Word) bool { return w.Name == near && w.Captions >= 10 }) {
			t.Errorf("%q is not a word that the model knows", near)
		}
	}
}

// TestBuiltinVocabulary: a model without a list of words proposes built-in ones.
func TestBuiltinVocabulary(t *testing.T) {
	m := openModel(t, paperConfig())
	words, trained := m.Vocabulary()
	if trained || len(words) < 20 {
		t.Fatalf("%d words, trained: %v", len(words), trained)
	}
	s, err := m.SegmentAuto(t.Context(), photo(40, 30), &groupvit.ProposeOptions{Top: 3}, nil)
	if err != nil || len(s.Labels) == 0 || len(s.Labels) > 3 {
		t.Fatalf("labels %v, %v", s, err)
	}
}
