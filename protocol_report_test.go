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
