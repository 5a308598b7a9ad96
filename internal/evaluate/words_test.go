package evaluate

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/vocab"
)

// TestWordsCount: words are judged down to the least score, the surest in any case; two
// words for one class count once, and words that name none are not judged.
func TestWordsCount(t *testing.T) {
	r := &WordsReport{At: []WordsAt{{Least: 0.2}, {Least: 0.6}}}
	classes := map[string]int{"cat": 1, "kitten": 1, "dog": 2, "cow": 3}
	r.count([]groupvit.Proposal{{Word: "dog", Score: 0.5}, {Word: "cat", Score: 0.4}, {Word: "grass", Score: 0.3}, {Word: "kitten", Score: 0.25}, {Word: "cow", Score: 0.1}}, classes, map[int]bool{1: true, 3: true})
	r.count([]groupvit.Proposal{{Word: "cow", Score: 0.7}, {Word: "cat", Score: 0.65}}, classes, map[int]bool{3: true})
	want := []WordsAt{{Least: 0.2, Right: 2, Wrong: 2, Shown: 3, Unjudged: 1}, {Least: 0.6, Right: 1, Wrong: 2, Shown: 3}}
	if d := cmp.Diff(want, r.At); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestShown: the background and what covers less than a hundredth are not asked for;
// ignored pixels are no pixels.
func TestShown(t *testing.T) {
	truth := make([]uint8, 300)
	for i := range 100 {
		truth[i] = bench.Ignore
	}
	truth[100], truth[101], truth[102] = 1, 1, 2 // 2 and 1 of 200
	d := &bench.Dataset{Background: 0, Classes: []vocab.Class{{Name: "background"}, {Name: "cat"}, {Name: "dog"}}}
	if got := shown(truth, d); !maps.Equal(got, map[int]bool{1: true}) {
		t.Errorf("shown are %v, want class 1 alone", got)
	}
}
