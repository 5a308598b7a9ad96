package groupvit_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/groupvit/groupvit"
)

func TestSweepAnswersAsSegment(t *testing.T) {
	labels, thresholds := []string{"dog|puppy", "grass", "sky"}, []float64{0, 0.2, 0.34, 0.4, 0.95}
	paper, local := openModel(t, paperConfig()), openModel(t, localConfig())
	for name, c := range map[string]struct {
		model   *groupvit.Model
		options *groupvit.SegmentOptions
	}{
		"paper":        {paper, nil},
		"best, groups": {paper, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}}},
		"best, local":  {local, &groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Templates: "subset", Background: groupvit.NoBackground()}}},
		"tcl":          {paper, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.TCL}}},
		"sclip":        {local, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.SCLIP, Benchmark: "voc21"}, QueryOptions: groupvit.QueryOptions{Templates: "short"}}},
	} {
		var o groupvit.SegmentOptions
		if c.options != nil {
			o = *c.options
		}
		e, err := c.model.Encode(t.Context(), photo(50, 40), &o.EncodeOptions)
		if err != nil {
			t.Fatal(name, err)
		}
		maps, report, err := e.Sweep(t.Context(), labels, &o.QueryOptions, thresholds)
		if err != nil || len(maps) != len(thresholds) {
			t.Fatal(name, len(maps), err)
		}
		for i, threshold := range thresholds {
			o.Background = groupvit.BackgroundBelow(threshold)
			s, err := e.Segment(t.Context(), labels, &o.QueryOptions)
			if err != nil {
				t.Fatal(name, err)
			}
			if !slices.Equal(maps[i].Labels, s.Map.Labels) {
				t.Errorf("%s, threshold %v: Sweep and Segment disagree", name, threshold)
			}
			if report.Templates != s.Report.Templates || report.Rule != s.Report.Rule || report.Windows != s.Report.Windows {
				t.Errorf("%s: the report is %+v, Segment's %+v", name, report, s.Report)
			}
		}
	}
	e, err := paper.Encode(t.Context(), photo(50, 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	port, err := paper.Encode(t.Context(), photo(50, 40), &groupvit.EncodeOptions{Protocol: groupvit.HF})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"threshold 2": func() error { _, _, err := e.Sweep(t.Context(), labels, nil, []float64{2}); return err },
		"hf":          func() error { _, _, err := port.Sweep(t.Context(), labels, nil, thresholds); return err },
	} {
		if err := call(); !errors.Is(err, groupvit.ErrOption) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
