package evaluate

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/vocab"
)

func TestPresenceScore(t *testing.T) {
	truth := []uint8{1, 1, 2, 0, 255, 1, 0, 0, 0, 0, 0}
	found := []uint16{1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0} // two right, one wrong, one ignored
	got := score(truth, found, 1)
	for name, pair := range map[string][2]float64{"share": {got.share, 0.3}, "cover": {got.cover, 0.3}, "IoU": {got.iou, 0.5}} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			t.Errorf("%s is %g, want %g", name, pair[0], pair[1])
		}
	}
	var r PresenceReport
	r.fill([2][]float64{{0, 0.2}, {0, 0.4}}, [2][]float64{{0.3}, {0, 0.5}})
	p := func(v float64) *float64 { return &v }
	want := PresenceReport{AbsentCover: p(10), PresentIoU: p(30), Absent: 4, AbsentSilent: 2, Present: 3, PresentFound: 2,
		Halves: [2]PresenceHalf{
			{AbsentCover: p(10), PresentIoU: p(30), Absent: 2, AbsentSilent: 1, Present: 1, PresentFound: 1},
			{AbsentCover: p(20), PresentIoU: p(25), Absent: 2, AbsentSilent: 1, Present: 2, PresentFound: 1},
		}}
	if d := cmp.Diff(want, r); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing")
	}
}

// TestAbsentWords: classes that are not in the photo come first, then words that no
// class has.
func TestAbsentWords(t *testing.T) {
	d := &bench.Dataset{Background: 0, Classes: []vocab.Class{{Name: "background"}, {Name: "cat"}, {Name: "dog", Synonyms: []string{"puppy"}}, {Name: "zebra"}}}
	got := absentWords(d, []uint8{0, 1, 1, bench.Ignore})
	if want := append([]string{"dog|puppy", "zebra"}, AbsentWords()[1:]...); !slices.Equal(got, want) {
		t.Errorf("absent words are %q, want %q", got, want)
	}
}
