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
)

// TestCalibration: a threshold is used for its techniques alone, and what is no
// calibration is an error.
func TestCalibration(t *testing.T) {
	m := openModel(t, localConfig())
	c := &groupvit.Calibration{}
	c.Set(groupvit.Fit{Techniques: m.Techniques(groupvit.Fast).String(), Threshold: 0.5})
	c.Set(groupvit.Fit{Techniques: m.Techniques(groupvit.Fast).String(), Threshold: 1, Photos: 3})
	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	again, err := groupvit.ReadCalibration(bytes.NewReader(file.Bytes()))
	if err != nil || len(again.Fits) != 1 || again.Fits[0] != c.Fits[0] {
		t.Fatalf("read back %+v (%v)", again, err)
	}
	var second bytes.Buffer
	if err := again.Write(&second); err != nil || !bytes.Equal(file.Bytes(), second.Bytes()) {
		t.Errorf("written again it differs (%v)", err)
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
	fast, err := with.Segment(t.Context(), photo(50, 40), []string{"dog", "sky"}, &groupvit.SegmentOptions{Protocol: groupvit.Best, Quality: groupvit.Fast})
	if err != nil || len(fast.Segments) != 0 || fast.Report.Background != "words, 1" {
		t.Errorf("with a threshold of 1: %+v (%v)", fast, err)
	}
	// A scale near 0 makes all words alike; one that is asked for goes before one fitted.
	score := func(sharpness float64) float64 {
		o := &groupvit.SegmentOptions{Protocol: groupvit.Best, Quality: groupvit.Fast, Background: groupvit.NoBackground(), Sharpness: sharpness}
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
	if _, err := m.Segment(t.Context(), photo(50, 40), []string{"dog"}, &groupvit.SegmentOptions{Protocol: groupvit.Best, Sharpness: -1}); !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("a negative scale: %v", err)
	}
	for _, bad := range []string{``, `[]`, `{"fits":[{"threshold":2}]}`, `{"fits":[{"threshold":0.1,"sharpness":-1}]}`, `{"other":1}`, `{} {}`} {
		if _, err := groupvit.ReadCalibration(bytes.NewReader([]byte(bad))); !errors.Is(err, groupvit.ErrModel) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzReadCalibration(f *testing.F) {
	f.Add([]byte(`{"fits":[{"techniques":"cut=0.2","threshold":0.1,"sharpness":9}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := groupvit.ReadCalibration(bytes.NewReader(b)); err == nil && c.Write(&bytes.Buffer{}) != nil {
			t.Error("it cannot be written again")
		}
	})
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
			s, err := m.Segment(t.Context(), photo(90, 70), []string{"dog"}, &groupvit.SegmentOptions{Quality: quality})
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

// TestSteps: windows without overlap, and a step that a photo encoded otherwise has
// not.
func TestSteps(t *testing.T) {
	m := openModel(t, localConfig())
	o := &groupvit.SegmentOptions{ShortSide: 32, Techniques: &groupvit.Techniques{Size: 2, Window: 1, Step: 1}}
	e, err := m.Encode(t.Context(), photo(128, 64), o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Segment(t.Context(), []string{"dog"}, o)
	if err != nil || s.Report.Windows != 8 {
		t.Fatalf("%+v, %v: 128 × 64 has 8 windows of 32", s, err)
	}
	o.Techniques = &groupvit.Techniques{Size: 2, Window: 1}
	if _, err := e.Segment(t.Context(), []string{"dog"}, o); !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("windows that overlap, of a photo that was not looked at so: %v", err)
	}
}

// TestSuperpixels: what is kept of them between questions changes no answer.
func TestSuperpixels(t *testing.T) {
	m := openModel(t, localConfig())
	labels := []string{"dog", "grass", "sky"}
	ask := func(e *groupvit.Encoded, with string) []uint16 {
		s, err := e.Segment(t.Context(), labels, &groupvit.SegmentOptions{Protocol: groupvit.Best, Quality: groupvit.Fast, With: with, Background: groupvit.NoBackground()})
		if err != nil {
			t.Fatal(err)
		}
		return s.Map.Labels
	}
	encode := func() *groupvit.Encoded {
		e, err := m.Encode(t.Context(), photo(90, 70), &groupvit.SegmentOptions{Protocol: groupvit.Best, Quality: groupvit.Fast, With: "superpixels"})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	fine, coarse := ask(encode(), "superpixels=0.5,spread=0.2"), ask(encode(), "superpixels=4,levels=1")
	if slices.Equal(fine, coarse) {
		t.Fatal("both cuts give one map: the test sees nothing")
	}
	e := encode()
	for range 2 {
		if !slices.Equal(ask(e, "superpixels=0.5,spread=0.2"), fine) || !slices.Equal(ask(e, "superpixels=4,levels=1"), coarse) {
			t.Error("another answer after another question")
		}
	}
}

// TestConfidence: another threshold on the maps of confidence gives what a new
// question gives.
func TestConfidence(t *testing.T) {
	m := openModel(t, localConfig())
	labels := []string{"dog", "grass", "sky"}
	for _, quality := range groupvit.Qualities() {
		o := &groupvit.SegmentOptions{Protocol: groupvit.Best, Quality: quality}
		e, err := m.Encode(t.Context(), photo(60, 45), o)
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
