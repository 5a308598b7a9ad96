package nouns

import (
	"slices"
	"strings"
	"testing"
)

func TestBuiltin(t *testing.T) {
	l, err := List(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[Kind]int{}
	for _, w := range l.Words() {
		counts[w.Kind]++
	}
	for kind, want := range map[Kind]int{Class: 6, Thing: 28, Body: 8, Stuff: 35} {
		if counts[kind] != want {
			t.Errorf("%d words of kind %s, want %d", counts[kind], kind, want)
		}
	}
	// What captions of photos say, and what they mean by it.
	for _, c := range []struct{ caption, want string }{
		{"Two boys and a puppy play on the grass .", "person dog grass"},
		{"A man rides a dirt bike up a hill", "person motorbike hill"},
		{"the man on the mountain bike", "person bicycle"},
		{"Children eat hot dogs at a table", "person table"},
		{"a photo of a duck, a bird", "bird bird"},
		{"The dog's mouth", "dog mouth"},
		{"oxen, calves and ponies", "cow cow horse"},
		{"A football player on the football field", "person field"},
		{"THE SEA", "sea"},
		{"a bed in a living room", "bed living room"},
		{"women walking their dogs past benches and buses", "person dog bench bus"},
		{"", ""},
		{"nothing that is listed", ""},
	} {
		if got := strings.Join(l.Nouns(c.caption), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.caption, got, c.want)
		}
	}
	// Every tag that stands for a whole source of photos is a word.
	for _, tag := range strings.Fields("bird horse cat sheep cow dog boat mountain forest sea building street car airplane bicycle motorbike train house kitchen bedroom bus sky goat pig desert chair truck person bathroom elephant bridge deer flower plant tree") {
		if got := l.Nouns(tag); !slices.Equal(got, []string{tag}) {
			t.Errorf("%s: %q", tag, got)
		}
	}
}

func TestList(t *testing.T) {
	l, err := List([]Word{
		{Name: "ball"}, {Name: "fox", Kind: Stuff}, {Name: "fire hydrant", Synonyms: []string{"hydrant"}, Except: []string{"hydrant city"}},
		{Name: "knife"}, {Name: "man"}, {Name: "猫"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ caption, want string }{
		{"a ball, a fox and a ball", "ball fox ball"},
		{"balls foxes hydrants fire hydrants knives men", "ball fox fire hydrant fire hydrant knife man"},
		{"fire  hydrant", "fire hydrant"},
		{"hydrant city", ""},
		{"eyeball", ""},
		{"猫 ball", "猫 ball"},
		{"\xff ball", "ball"},
	} {
		if got := strings.Join(l.Nouns(c.caption), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.caption, got, c.want)
		}
	}
	if w, ok := l.Word("fox"); !ok || w.Kind != Stuff {
		t.Errorf("fox: %v %v", w, ok)
	}
	if _, ok := l.Word("hydrant"); ok {
		t.Error("a synonym is no word of its own")
	}
}

func TestListErrors(t *testing.T) {
	for name, words := range map[string][]Word{
		"none":                   nil,
		"an empty word":          {{Name: " "}},
		"a word twice":           {{Name: "cat"}, {Name: "cat"}},
		"a synonym of two words": {{Name: "cat", Synonyms: []string{"pet"}}, {Name: "dog", Synonyms: []string{"pet"}}},
	} {
		if _, err := List(words); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, k := range []Kind{Thing, Class, Body, Stuff} {
		if got, err := ParseKind(k.String()); err != nil || got != k {
			t.Errorf("%v: %v, %v", k, got, err)
		}
	}
	if _, err := ParseKind("animal"); err == nil {
		t.Error("animal is a kind")
	}
	if got := Kind(9).String(); got != "Kind(9)" {
		t.Errorf("got %s", got)
	}
}

func FuzzList(f *testing.F) {
	l, err := List(Builtin())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Two boys' hot dogs — and 猫's")
	f.Fuzz(func(t *testing.T, caption string) {
		for _, n := range l.Nouns(caption) {
			if _, ok := l.Word(n); !ok {
				t.Errorf("%q is not in the list", n)
			}
		}
	})
}

func TestFind(t *testing.T) {
	l, err := List(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for phrase, want := range map[string]string{
		"cat": "cat", "Kittens": "cat", " Potted  plant ": "plant", "aeroplane": "airplane", "people": "person",
		"hot dog": "", "red car": "", "dog and cat": "", "zeppelin": "", "": "",
	} {
		if w, ok := l.Find(phrase); w.Name != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", phrase, w.Name, ok, want)
		}
	}
}
