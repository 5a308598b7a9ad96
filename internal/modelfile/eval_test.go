package modelfile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/limits"
)

// TestEval: an eval.json is read as it was written, one key a line.
func TestEval(t *testing.T) {
	e := Eval{
		ShortSide: 96, Squash: true, Threshold: 0.1, BackgroundRule: ByProbability, Templates: ListTemplates([]string{"a {}", "the {}"}),
		BackgroundWords: []string{"sky"}, Words: [][]string{{"cat", "kitten"}, {"dog"}},
	}
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(b), "\n"); lines != 9 {
		t.Errorf("%d lines:\n%s", lines, b)
	}
	read, err := ReadEval(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e, read); d != "" {
		t.Errorf("read back (-want +got)\n%s", d)
	}
	if err := read.Check(8); err != nil {
		t.Error(err)
	}
	if b, err := (Eval{}).Encode(); b != nil || err != nil {
		t.Errorf("an Eval that says nothing is written as %q (%v)", b, err)
	}
}

func TestBadEval(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"unknown key", `{"template": "short"}`, "template"},
		{"more than JSON", `{} x`, "follows"},
		{"set", `{"templates": "haiku"}`, "haiku"},
		{"template without place", `{"templates": ["a photo"]}`, "a photo"},
		{"no templates", `{"templates": []}`, "0 templates"},
		{"small", `{"short_side": 7}`, "short_side is 7"},
		{"negative", `{"short_side": 96, "stride": -1}`, "stride is -1"},
		{"window alone", `{"window": 64}`, "need short_side"},
		{"rule", `{"background_rule": "chance"}`, "chance"},
		{"threshold", `{"background_threshold": 1.5}`, "1.5"},
		{"rule without threshold", `{"background_rule": "probability"}`, "above 0"},
		{"empty word", `{"background_words": [" "]}`, "background_words"},
		{"long word", `{"words": [["` + strings.Repeat("x", limits.LabelBytes+1) + `"]]}`, "longer than"},
		{"no names", `{"words": [[]]}`, "0 names"},
	} {
		e, err := ReadEval([]byte(c.file))
		if err == nil {
			err = e.Check(8)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
}

// FuzzEval: what is accepted is written and read again alike.
func FuzzEval(f *testing.F) {
	f.Add([]byte(`{"short_side": 144, "window": 144, "stride": 72, "background_threshold": 0.3, "templates": ["a {}"], "background_words": ["sky"]}`))
	f.Add([]byte(`{"short_side": 16, "squash": true, "templates": "tcl", "words": [["a", "b"]]}`))
	f.Add([]byte(`{"long_side": 1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ReadEval(b)
		if err != nil || e.Check(8) != nil {
			return
		}
		b, err = e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return
		}
		again, err := ReadEval(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		one, _ := json.Marshal(e)
		two, _ := json.Marshal(again)
		if string(one) != string(two) {
			t.Errorf("%s is read as %s", one, two)
		}
	})
}
