package groupvit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
)

// scoresWith are the class scores of a question that a model with such an
// eval.json answers.
func scoresWith(t *testing.T, eval string, labels ...string) ([]float32, groupvit.Report) {
	t.Helper()
	m, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(eval)}), &groupvit.Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Segment(t.Context(), photo(40, 40), labels, &groupvit.SegmentOptions{Scores: true})
	if err != nil {
		t.Fatal(err)
	}
	return s.Scores, s.Report
}

// TestEvalFile: a model says which prompts it was trained with, for things and
// for stuff, and which words stand for background.
func TestEvalFile(t *testing.T) {
	one := func(scores []float32, _ groupvit.Report) []float32 { return scores }
	the, a := one(scoresWith(t, `{"templates": ["the {}"]}`, "Grass")), one(scoresWith(t, `{"templates": ["a {}"]}`, "Grass"))
	if slices.Equal(the, a) {
		t.Fatal("templates make no difference")
	}
	mixed, report := scoresWith(t, `{"templates": ["a {}"], "stuff_templates": ["the {}"], "stuff_words": ["grass"], "background_words": ["dog"]}`, "Grass")
	if !slices.Equal(mixed, the) {
		t.Error("a stuff word does not have the stuff templates")
	}
	if report.Templates != "a {}" || report.Background != "words" {
		t.Errorf("report %+v", report)
	}
	if other := one(scoresWith(t, `{"templates": ["a {}"], "stuff_templates": ["the {}"], "stuff_words": ["sand"]}`, "Grass")); !slices.Equal(other, a) {
		t.Error("a word that is no stuff has the stuff templates")
	}
	for name, eval := range map[string]string{
		"set":              `{"templates": "haiku"}`,
		"no place":         `{"templates": ["a photo"]}`,
		"empty list":       `{"templates": []}`,
		"number":           `{"templates": 3}`,
		"empty word":       `{"background_words": [" "]}`,
		"unknown key":      `{"template": "short"}`,
		"too many words":   `{"stuff_words": [` + strings.Repeat(`"x",`, 256) + `"x"]}`,
		"too many options": `{"templates": [` + strings.Repeat(`"{}",`, 256) + `"{}"]}`,
	} {
		if _, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(eval)}), nil); !errors.Is(err, groupvit.ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
