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
	s, err := m.Segment(t.Context(), photo(40, 40), labels, &groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Scores: true}})
	if err != nil {
		t.Fatal(err)
	}
	return s.Scores, s.Report
}

// TestEvalFile: a model says which prompts it was trained with, for things and
// for stuff, and which words stand for background.
func TestEvalFile(t *testing.T) {
	one := func(scores []float32, _ groupvit.Report) []float32 { return scores }
	// The scores are probabilities among hidden words, which are the same for all.
	const hidden = `"background_words": ["dog"], "stuff_words": ["dog"], "stuff_templates": ["a {}"], `
	the, a := one(scoresWith(t, `{`+hidden+`"templates": ["the {}"]}`, "Grass")), one(scoresWith(t, `{`+hidden+`"templates": ["a {}"]}`, "Grass"))
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
	if other := one(scoresWith(t, `{"templates": ["a {}"], "stuff_templates": ["the {}"], "stuff_words": ["sand"], "background_words": ["dog"]}`, "Grass")); !slices.Equal(other, a) {
		t.Error("a word that is no stuff has the stuff templates")
	}
	for name, eval := range map[string]string{
		"set":              `{"templates": "haiku"}`,
		"rule":             `{"background_rule": "chance", "background_threshold": 0.1}`,
		"no threshold":     `{"background_rule": "probability"}`,
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

// TestBackgroundByProbability: hidden words that cannot win a pixel leave it to
// the label, unless its probability beside them is below the threshold.
func TestBackgroundByProbability(t *testing.T) {
	found := func(rule string, threshold string) (pixels int, report groupvit.Report) {
		eval := `{"background_words": ["sky", "wall", "tree", "road", "sea"], "background_threshold": ` + threshold + rule + `}`
		m, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(eval)}), &groupvit.Options{Engine: "go"})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		s, err := m.Segment(t.Context(), photo(40, 40), []string{"dog"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range s.Segments {
			pixels += part.Pixels
		}
		return pixels, s.Report
	}
	const probability = `, "background_rule": "probability"`
	all, report := found(probability, "0.000001")
	if all != 40*40 || report.Background != "probability, 1e-06" {
		t.Errorf("%d pixels found, report %+v", all, report)
	}
	if none, _ := found(probability, "0.999"); none != 0 {
		t.Errorf("%d pixels have a probability of 0.999 beside five words", none)
	}
	if words, _ := found("", "0.000001"); words >= all {
		t.Errorf("%d pixels found where the best word wins", words)
	}
}

// TestOtherLabels: with the rule "probability" a label's scores are the same alone and
// beside others, also beside one that is a word of the background vocabulary; and a
// pixel is a label's or nothing by its own probability.
func TestOtherLabels(t *testing.T) {
	eval := `{"background_words": ["sky", "wall", "tree", "road"], "background_rule": "probability", "background_threshold": 0.2}`
	m, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(eval)}), &groupvit.Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	e, err := m.Encode(t.Context(), photo(60, 45), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(labels ...string) *groupvit.Segmentation {
		s, err := e.Segment(t.Context(), labels, &groupvit.QueryOptions{Scores: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	alone := answer("dog")
	for _, others := range [][]string{{"cat"}, {"sky"}, {"cat", "sky", "wall", "a violin"}} {
		s := answer(append([]string{"dog"}, others...)...)
		if !slices.Equal(s.Scores[:60*45], alone.Scores) {
			t.Errorf("beside %v dog has other scores", others)
		}
		for i, l := range s.Map.Labels {
			best := float32(0)
			for label := range len(others) + 1 {
				best = max(best, s.Scores[label*60*45+i])
			}
			if best > 0.201 && l == 0 || best < 0.199 && l != 0 {
				t.Fatalf("beside %v pixel %d with a probability of %g is label %d", others, i, best, l)
			}
		}
	}
}
