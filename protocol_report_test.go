package groupvit_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/groupvit/groupvit"
)

// What the unified protocols say about an answer, and what they refuse.
func TestUnifiedReports(t *testing.T) {
	m := openModel(t, paperConfig())
	for _, c := range []struct {
		options               groupvit.SegmentOptions
		background, templates string
	}{
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.TCL}}, "0.5", "tcl"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.TCL}, QueryOptions: groupvit.QueryOptions{Background: groupvit.NoBackground()}}, "off", "tcl"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.TCL}, QueryOptions: groupvit.QueryOptions{Background: groupvit.BackgroundBelow(0.4), Templates: "simple"}}, "0.4", "simple"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP}}, "words, 0.1", "full"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP, Benchmark: "voc21"}, QueryOptions: groupvit.QueryOptions{Templates: "simple"}}, "words, 0.1", "simple"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP, Benchmark: "voc20"}, QueryOptions: groupvit.QueryOptions{Templates: "simple"}}, "0", "simple"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP}, QueryOptions: groupvit.QueryOptions{Background: groupvit.NoBackground(), Templates: "simple"}}, "off", "simple"},
	} {
		s, err := m.Segment(t.Context(), photo(90, 60), []string{"cat|kitten", "grass"}, &c.options)
		if err != nil {
			t.Fatalf("%+v: %v", c.options, err)
		}
		if r := s.Report; r.Protocol != c.options.Protocol || r.Background != c.background || r.Templates != c.templates || r.Note == "" {
			t.Errorf("%+v: %+v", c.options, r)
		}
		if c.background == "off" && slices.Contains(s.Map.Labels, 0) {
			t.Errorf("%+v: background is off and there is some", c.options)
		}
	}
	_, err := m.Segment(t.Context(), photo(90, 60), []string{"cat"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP, Benchmark: "voc99"}})
	if !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("an unknown benchmark: %v", err)
	}
}

// TestSCLIPThreshold: the threshold decides what Segment makes background, not only
// what Sweep does.
func TestSCLIPThreshold(t *testing.T) {
	m := openModel(t, paperConfig())
	covered := func(threshold float64) (pixels int) {
		o := &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP, Benchmark: "context60"}, QueryOptions: groupvit.QueryOptions{Templates: "simple", Background: groupvit.BackgroundBelow(threshold)}}
		s, err := m.Segment(t.Context(), photo(60, 45), []string{"cat", "grass", "sky", "tree"}, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range s.Segments {
			pixels += found.Pixels
		}
		return pixels
	}
	if low, high := covered(0), covered(0.999); low == 0 || high != 0 {
		t.Errorf("labels cover %d pixels with a threshold of 0 and %d with one of 0.999", low, high)
	}
}
