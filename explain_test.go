package groupvit_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/network"
)

// TestExplain: an explanation has the same answer as a question, and its parts agree
// with it and with each other.
func TestExplain(t *testing.T) {
	for name, c := range map[string]network.Config{"groups": paperConfig(), "patches": localConfig()} {
		for _, background := range []string{"auto", "off", "0.4"} {
			t.Run(name+" "+background, func(t *testing.T) {
				m := openModel(t, c)
				defer m.Close()
				b, err := groupvit.ParseBackground(background)
				if err != nil {
					t.Fatal(err)
				}
				o := &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}, QueryOptions: groupvit.QueryOptions{Background: b}}
				labels := []string{"dog|puppy", "cat", "sky"}
				x, err := m.Explain(t.Context(), photo(70, 50), labels, o)
				if err != nil {
					t.Fatal(err)
				}
				s, err := m.Segment(t.Context(), photo(70, 50), labels, o)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(x.Segmentation.Map.Labels, s.Map.Labels) {
					t.Error("the answer is another than Segment's")
				}
				checkExplanation(t, x, c)
			})
		}
	}
}

func checkExplanation(t *testing.T, x *groupvit.Explanation, c network.Config) {
	t.Helper()
	stages := 0
	if c.HasGroups() {
		stages = 2
	}
	if len(x.Stages) != stages {
		t.Errorf("%d stages, want %d", len(x.Stages), stages)
	}
	for _, stage := range append(slices.Clone(x.Stages), x.Places) {
		sum := 0.0
		for i, p := range stage.Parts {
			sum += p.Area
			if i > 0 && p.Area > stage.Parts[i-1].Area {
				t.Error("parts are not in the order of their size")
			}
			if len(p.Words) == 0 || !slices.IsSortedFunc(p.Words, func(a, b groupvit.WordScore) int {
				if a.Score < b.Score {
					return 1
				}
				return -1
			}) {
				t.Errorf("words of a part: %v", p.Words)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("parts cover %g", sum)
		}
	}
	var rules float64
	for _, r := range x.Rules {
		rules += r.Area
	}
	if math.Abs(rules-1) > 1e-9 {
		t.Errorf("rules cover %g", rules)
	}
	for i, l := range x.Segmentation.Map.Labels {
		if (l > 0) != (x.Why.Labels[i] == 1) {
			t.Fatalf("pixel %d has label %d by rule %d", i, l, x.Why.Labels[i])
		}
		if l == 0 && x.Threshold > 0 && float64(x.Confidence.Value[i]) >= x.Threshold {
			t.Fatalf("pixel %d is background at %g, the threshold is %g", i, x.Confidence.Value[i], x.Threshold)
		}
	}
	var area float64
	for _, l := range x.Labels {
		area += l.Area
		if len(l.Probability) != l.Width*l.Height || l.Least > l.Most || len(l.Rivals) == 0 {
			t.Errorf("%s: %d values of %d×%d, %g to %g, rivals %v", l.Label, len(l.Probability), l.Width, l.Height, l.Least, l.Most, l.Rivals)
		}
		for _, r := range l.Rivals {
			if r.Word == l.Label || r.Ahead > r.Share {
				t.Errorf("%s has the rival %+v", l.Label, r)
			}
		}
	}
	if math.Abs(area-x.Rules[0].Area) > 1e-9 {
		t.Errorf("labels cover %g, their rule %g", area, x.Rules[0].Area)
	}
	if w := x.Labels[0].Words; !slices.Equal(w, []string{"dog", "puppy"}) {
		t.Errorf("the first label was asked as %v", w)
	}
}

func TestExplainErrors(t *testing.T) {
	m := openModel(t, paperConfig())
	defer m.Close()
	if _, err := m.Explain(t.Context(), photo(40, 40), []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Paper}}); !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("protocol paper: %v", err)
	}
	if _, err := m.Explain(t.Context(), photo(40, 40), nil, nil); !errors.Is(err, groupvit.ErrLabels) {
		t.Errorf("no labels: %v", err)
	}
	if _, err := m.Explain(t.Context(), nil, []string{"dog"}, nil); !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("no photo: %v", err)
	}
}
