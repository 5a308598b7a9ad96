package groupvit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/vocab"
)

func TestTrainedWords(t *testing.T) {
	known, err := newTrainedWords([][]string{{"cat", "kitten"}, {"person", "people", "man", "woman"}, {"monitor", "television"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		labels []vocab.Class
		want   [][]string
	}{
		{"itself", []vocab.Class{{Name: "cat"}}, [][]string{{"cat"}}},
		{"synonym and plural", []vocab.Class{{Name: "Kittens"}, {Name: "people"}}, [][]string{{"cat"}, {"person"}}},
		{"unknown synonyms are not asked", []vocab.Class{{Name: "monitor", Synonyms: []string{"tvmonitor", "television"}}}, [][]string{{"monitor"}}},
		{"unknown", []vocab.Class{{Name: "zeppelin", Synonyms: []string{"airship"}}}, [][]string{{"zeppelin", "airship"}}},
		{"shared", []vocab.Class{{Name: "man"}, {Name: "woman"}, {Name: "cat"}}, [][]string{{"man"}, {"woman"}, {"cat"}}},
		{"two words", []vocab.Class{{Name: "pet", Synonyms: []string{"cat", "man"}}}, [][]string{{"cat", "person"}}},
	} {
		if d := cmp.Diff(c.want, known.names(c.labels)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
		var nothing trainedWords
		for i, names := range nothing.names(c.labels) {
			if d := cmp.Diff(c.labels[i].Names(), names); d != "" {
				t.Errorf("%s without a list: %s", c.name, d)
			}
		}
	}
	for _, bad := range [][][]string{{{"a"}, {"a"}}, {{""}}} {
		if _, err := newTrainedWords(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
