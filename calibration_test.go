package groupvit_test

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/modelfile"
)

// TestCalibration: a threshold is used for its techniques alone, and a file that is no
// calibration is an error.
func TestCalibration(t *testing.T) {
	m := openModel(t, localConfig())
	c := &modelfile.Calibration{}
	c.Set(modelfile.Fit{Techniques: m.Techniques(groupvit.Fast).String(), Threshold: 0.5})
	c.Set(modelfile.Fit{Techniques: m.Techniques(groupvit.Fast).String(), Threshold: 1, Photos: 3})
	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c.json")
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	with, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), nil), &groupvit.Options{Calibration: path})
	if err != nil {
		t.Fatal(err)
	}
	defer with.Close()
	fast, err := with.Segment(t.Context(), photo(50, 40), []string{"dog", "sky"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best, Quality: groupvit.Fast}})
	if err != nil || len(fast.Segments) != 0 || fast.Report.Background != "words, 1" {
		t.Errorf("with a threshold of 1: %+v (%v)", fast, err)
	}
	if err := os.WriteFile(path, []byte(`{"fits":[{"threshold":2}]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), nil), &groupvit.Options{Calibration: path}); !errors.Is(err, groupvit.ErrModel) {
		t.Errorf("a threshold of 2: %v", err)
	}
	// A scale near 0 makes all words alike; one that is asked for goes before one fitted.
	score := func(sharpness float64) float64 {
		o := &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best, Quality: groupvit.Fast}, QueryOptions: groupvit.QueryOptions{Background: groupvit.NoBackground(), Sharpness: sharpness}}
		s, err := m.Segment(t.Context(), photo(50, 40), []string{"dog", "sky"}, o)
		if err != nil || len(s.Segments) == 0 {
			t.Fatalf("sharpness %g: %v", sharpness, err)
		}
		return s.Segments[0].Score
	}
	if flat, sharp := score(1e-6), score(1000); flat > 0.501 || flat < 0.499 || sharp < 0.6 {
		t.Errorf("scores are %g at a scale near 0 and %g at 1000", flat, sharp)
	}
	if own := score(0); own != score(m.Sharpness()) {
		t.Errorf("the model's own scale gives %g", own)
	}
	if _, err := m.Segment(t.Context(), photo(50, 40), []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}, QueryOptions: groupvit.QueryOptions{Sharpness: -1}}); !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("a negative scale: %v", err)
	}
}

// TestTechniques: names and values both ways.
func TestTechniques(t *testing.T) {
	got, err := groupvit.ParseTechniques("scales=0.5/2,pamr,-contrast,segments=hard,cut=0.25", groupvit.Techniques{Contrast: true, Levels: 3})
	if err != nil || got.Contrast || got.PAMR != 10 || got.Levels != 3 || !slices.Equal(got.Scales, []float64{0.5, 2}) {
		t.Fatalf("%+v (%v)", got, err)
	}
	if again, err := groupvit.ParseTechniques(got.String(), groupvit.Techniques{}); err != nil || again.String() != got.String() {
		t.Errorf("%q is read as %q (%v)", got, again, err)
	}
	for _, bad := range []string{"blur", "pamr=1.5", "pamr=99", "cut=-1", "cut=x", "flip", "scales=a", "scales=100", "segments=third"} {
		if _, err := groupvit.ParseTechniques(bad, groupvit.Techniques{}); !errors.Is(err, groupvit.ErrOption) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestQualities: how a model looks follows from how its eval.json looks at photos, and
// an answer says which quality it was made with, however alike two are.
func TestQualities(t *testing.T) {
	const votes = "superpixels=1.2,spread=0.9,levels=2"
	for _, c := range []struct {
		eval                 string
		fast, balanced, best string
	}{
		{`{"short_side": 32, "squash": true}`, "", votes, "scales=2," + votes},
		{`{"short_side": 64, "squash": true}`, "", votes, votes},
		{`{"short_side": 32}`, "size=2,window=1,step=1", "size=2,window=1,step=1," + votes, "size=2,window=1," + votes},
		{`{"short_side": 48}`, "size=1.33333,window=1,step=1", "size=1.33333,window=1,step=1," + votes, "size=1.33333,window=1," + votes},
		{`{"short_side": 80}`, "", votes, votes},
	} {
		m, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(c.eval)}), nil)
		if err != nil {
			t.Fatal(err)
		}
		for quality, want := range map[groupvit.Quality]string{groupvit.Fast: c.fast, groupvit.Balanced: c.balanced, groupvit.BestQuality: c.best, "": c.best} {
			if got := m.Techniques(quality).String(); got != want {
				t.Errorf("%s, %s: %q, want %q", c.eval, quality, got, want)
			}
			s, err := m.Segment(t.Context(), photo(90, 70), []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Quality: quality}})
			if err != nil || s.Report.Quality != cmp.Or(quality, groupvit.BestQuality) {
				t.Errorf("%s, %q: the report says %q (%v)", c.eval, quality, s.Report.Quality, err)
			}
		}
		m.Close()
	}
	m := openModel(t, paperConfig()) // read from groups, with the paper's sizes
	if got := m.Techniques(groupvit.BestQuality).String(); got != "segments=hard,"+votes || m.Techniques(groupvit.Fast).String() != "" {
		t.Errorf("of groups: %q, fast %q", got, m.Techniques(groupvit.Fast))
	}
}

// TestSteps: windows without overlap.
func TestSteps(t *testing.T) {
	m := openModel(t, localConfig())
	o := &groupvit.EncodeOptions{ShortSide: 32, Techniques: &groupvit.Techniques{Size: 2, Window: 1, Step: 1}}
	e, err := m.Encode(t.Context(), photo(128, 64), o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Segment(t.Context(), []string{"dog"}, nil)
	if err != nil || s.Report.Windows != 8 {
		t.Fatalf("%+v, %v: 128 × 64 has 8 windows of 32", s, err)
	}
}

// TestSuperpixels: what is kept of them between queries changes no answer.
func TestSuperpixels(t *testing.T) {
	m := openModel(t, localConfig())
	labels := []string{"dog", "grass", "sky"}
	encode := func(with string) *groupvit.Encoded {
		e, err := m.Encode(t.Context(), photo(90, 70), &groupvit.EncodeOptions{Protocol: groupvit.Best, Quality: groupvit.Fast, With: with})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	answer := func(e *groupvit.Encoded) []uint16 {
		s, err := e.Segment(t.Context(), labels, &groupvit.QueryOptions{Background: groupvit.NoBackground()})
		if err != nil {
			t.Fatal(err)
		}
		return s.Map.Labels
	}
	fine, coarse := encode("superpixels=0.5,spread=0.2"), encode("superpixels=4,levels=1")
	first := answer(fine)
	if slices.Equal(first, answer(coarse)) {
		t.Fatal("both cuts give one map: the test sees nothing")
	}
	if !slices.Equal(answer(fine), first) {
		t.Error("another answer after another query")
	}
}

// TestConfidence: another threshold on the maps of confidence gives what a new
// question gives.
func TestConfidence(t *testing.T) {
	m := openModel(t, localConfig())
	labels := []string{"dog", "grass", "sky"}
	for _, quality := range groupvit.Qualities() {
		o := &groupvit.QueryOptions{}
		e, err := m.Encode(t.Context(), photo(60, 45), &groupvit.EncodeOptions{Protocol: groupvit.Best, Quality: quality})
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Segment(t.Context(), labels, o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Confidence(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, threshold := range []float64{0, 0.03, 0.2} {
			o.Background = groupvit.BackgroundBelow(threshold)
			want, err := e.Segment(t.Context(), labels, o)
			if err != nil || !slices.Equal(c.Below(threshold).Labels, want.Map.Labels) {
				t.Errorf("%s, threshold %g: another map (%v)", quality, threshold, err)
			}
		}
		for i, l := range c.Likely.Labels {
			if l == 0 || c.RunnerUp.Labels[i] == 0 || l == c.RunnerUp.Labels[i] {
				t.Fatalf("%s: pixel %d is %d, then %d", quality, i, l, c.RunnerUp.Labels[i])
			}
		}
	}
}
