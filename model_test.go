package groupvit_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// paperConfig is the paper's network in small, localConfig a variant that reads
// its map from patches.
func paperConfig() network.Config {
	c := network.Default()
	c.ImageSize, c.PatchSize, c.Width = 32, 8, 16
	c.Depths, c.Heads = []int{1, 1, 1}, []int{2, 2, 2}
	c.GroupTokens, c.OutputGroups = []int{6, 3, 0}, []int{6, 3, 0}
	c.Text = network.TextConfig{Vocabulary: 600, Context: 20, Width: 16, Depth: 1, Heads: 2, MLPRatio: 2}
	c.ProjectionWidth, c.EmbedWidth = 32, 16
	return c
}

func localConfig() network.Config {
	c := paperConfig()
	c.GroupTokens, c.OutputGroups = []int{0}, []int{0}
	c.Depths, c.Heads = []int{0}, []int{1}
	c.Variant = network.Variant{PatchEmbeddings: network.PatchesLocal, PatchPooled: true, Map: network.MapPatches, LocalMLP: 32, TextPooling: network.PoolMean, PlainProjection: true,
		Stem:         network.Stem{Channels: []int{4, 8, 16}, Blocks: []int{0, 1, 1}, BatchNorm: true},
		NounsAgainst: []string{network.AgainstPatches}}
	return c
}

// saveModel writes a model with drawn weights and returns its directory.
func saveModel(t testing.TB, c network.Config, extra map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	m := &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: weights.ImageNetMean, Std: weights.ImageNetStd, Extra: extra}
	if err := weights.Save(dir, m, weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openModel(t testing.TB, c network.Config) *groupvit.Model {
	t.Helper()
	m, err := groupvit.Open(context.Background(), saveModel(t, c, nil), &groupvit.Options{Engine: "go", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// photo is a picture with a bright disc.
func photo(w, h int) image.Image {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), 80, 255}
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < h*h/9 {
				c = color.RGBA{250, 240, 20, 255}
			}
			im.Set(x, y, c)
		}
	}
	return im
}

func TestSegment(t *testing.T) {
	paper, local := openModel(t, paperConfig()), openModel(t, localConfig())
	for _, c := range []struct {
		name     string
		model    *groupvit.Model
		options  *groupvit.SegmentOptions
		labels   []string
		protocol groupvit.Protocol
		windows  int
	}{
		{"paper", paper, nil, []string{"dog", "grass"}, groupvit.Paper, 2},
		{"paper, one label", paper, nil, []string{"dog"}, groupvit.Paper, 2},
		{"paper without background", paper, &groupvit.SegmentOptions{Background: groupvit.NoBackground()}, []string{"dog", "grass"}, groupvit.Paper, 2},
		{"port", paper, &groupvit.SegmentOptions{Protocol: groupvit.Port}, []string{"dog", "grass"}, groupvit.Port, 1},
		{"best from groups", paper, &groupvit.SegmentOptions{Protocol: groupvit.Best}, []string{"dog|puppy", "grass"}, groupvit.Best, 2},
		{"best from patches", local, nil, []string{"dog", "🐕"}, groupvit.Best, 2},
		{"best, small", local, &groupvit.SegmentOptions{ShortSide: 16, Background: groupvit.BackgroundBelow(0.9)}, []string{"dog"}, groupvit.Best, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := groupvit.SegmentOptions{Scores: true}
			if c.options != nil {
				o = *c.options
				o.Scores = true
			}
			s, err := c.model.Segment(t.Context(), photo(60, 45), c.labels, &o)
			if err != nil {
				t.Fatal(err)
			}
			if s.Report.Protocol != c.protocol || s.Report.Windows != c.windows {
				t.Errorf("report %+v, want protocol %s, %d windows", s.Report, c.protocol, c.windows)
			}
			if s.Map.Width != 60 || s.Map.Height != 45 || len(s.Scores) != len(c.labels)*60*45 {
				t.Fatalf("map %d×%d, %d scores", s.Map.Width, s.Map.Height, len(s.Scores))
			}
			if int(s.Map.Max()) > len(c.labels) {
				t.Errorf("label %d of %d", s.Map.Max(), len(c.labels))
			}
			if s.Report.Background == "off" && slices.Contains(s.Map.Labels, 0) {
				t.Error("background although it is off")
			}
			for _, v := range s.Scores {
				if math.IsNaN(float64(v)) {
					t.Fatal("a score is NaN")
				}
			}
		})
	}
}

func TestEncodedAnswersAsSegment(t *testing.T) {
	m := openModel(t, paperConfig())
	e, err := m.Encode(t.Context(), photo(50, 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for _, labels := range [][]string{{"dog", "cat"}, {"sky", "a very long name of something that is cut off somewhere"}} {
				a, err := e.Segment(t.Context(), labels, nil)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := m.Segment(t.Context(), photo(50, 40), labels, nil)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(a.Map.Labels, b.Map.Labels) {
					t.Error("Encoded and Model disagree")
				}
			}
		})
	}
	wait.Wait()
	if _, err := e.Segment(t.Context(), []string{"dog"}, &groupvit.SegmentOptions{Protocol: groupvit.Best}); !errors.Is(err, groupvit.ErrOption) {
		t.Errorf("another protocol than the encoded one: %v", err)
	}
}

func TestEmbeddingsAndClasses(t *testing.T) {
	m := openModel(t, paperConfig())
	text, err := m.EmbedText(t.Context(), "a photo of a dog.")
	if err != nil {
		t.Fatal(err)
	}
	im, err := m.EmbedImage(t.Context(), photo(90, 40))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range [][]float32{text, im} {
		var sum float64
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if len(v) != 16 || math.Abs(sum-1) > 1e-5 {
			t.Errorf("%d values of squared length %g, want 16 and 1", len(v), sum)
		}
	}
	// Batch and padding do not change a text's vector.
	fresh := openModel(t, paperConfig())
	if _, err := fresh.Classify(t.Context(), photo(40, 40), []string{"cat", "dog", "horse"}); err != nil {
		t.Fatal(err)
	}
	again, err := fresh.EmbedText(t.Context(), "a photo of a dog.")
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		if math.Abs(float64(text[i]-again[i])) > 1e-5 {
			t.Fatalf("value %d: %g and %g", i, text[i], again[i])
		}
	}
	classes, err := m.Classify(t.Context(), photo(40, 40), []string{"cat", "dog", "horse"})
	if err != nil || len(classes) != 3 || classes[0].Score < classes[2].Score {
		t.Errorf("classes %v, error %v", classes, err)
	}
	maps, err := m.Groups(t.Context(), photo(70, 40))
	if err != nil || len(maps) != 2 || maps[0].Width != 70 || maps[0].Max() > 6 || maps[1].Max() > 3 {
		t.Errorf("groups: %v", err)
	}
}

func TestErrors(t *testing.T) {
	m, local := openModel(t, paperConfig()), openModel(t, localConfig())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	segment := func(m *groupvit.Model, labels []string, o *groupvit.SegmentOptions) error {
		_, err := m.Segment(t.Context(), photo(20, 20), labels, o)
		return err
	}
	_, missing := groupvit.Open(t.Context(), "no/such/model", nil)
	_, noEngine := groupvit.Open(t.Context(), saveModel(t, paperConfig(), nil), &groupvit.Options{Engine: "abacus"})
	_, badEval := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(`{"short_side": 1}`)}), nil)
	_, late := m.Segment(cancelled, photo(20, 20), []string{"dog"}, nil)
	_, groups := local.Groups(t.Context(), photo(20, 20))
	_, tooWide := m.Segment(t.Context(), image.NewUniform(color.White), []string{"dog"}, nil)
	_, noPhoto := m.Segment(t.Context(), nil, []string{"dog"}, nil)
	for _, c := range []struct {
		name string
		got  error
		want error
	}{
		{"no labels", segment(m, nil, nil), groupvit.ErrLabels},
		{"empty label", segment(m, []string{" "}, nil), groupvit.ErrLabels},
		{"duplicate", segment(m, []string{"dog", "dog"}, nil), groupvit.ErrLabels},
		{"10,000 characters", segment(m, []string{strings.Repeat("x", 10_000)}, nil), groupvit.ErrLabels},
		{"protocol", segment(m, []string{"dog"}, &groupvit.SegmentOptions{Protocol: "magic"}), groupvit.ErrOption},
		{"threshold", segment(m, []string{"dog"}, &groupvit.SegmentOptions{Background: groupvit.BackgroundBelow(2)}), groupvit.ErrOption},
		{"templates", segment(m, []string{"dog"}, &groupvit.SegmentOptions{Templates: "haiku"}), groupvit.ErrOption},
		{"size", segment(m, []string{"dog"}, &groupvit.SegmentOptions{Protocol: groupvit.Best, ShortSide: 3}), groupvit.ErrOption},
		{"size of hf", segment(m, []string{"dog"}, &groupvit.SegmentOptions{Protocol: groupvit.Port, ShortSide: 64}), groupvit.ErrOption},
		{"no photo", noPhoto, groupvit.ErrOption},
		{"paper without groups", segment(local, []string{"dog"}, &groupvit.SegmentOptions{Protocol: groupvit.Paper}), groupvit.ErrOption},
		{"groups without groups", groups, groupvit.ErrModel},
		{"missing model", missing, groupvit.ErrModel},
		{"missing file", missing, os.ErrNotExist},
		{"engine", noEngine, groupvit.ErrOption},
		{"eval.json", badEval, groupvit.ErrModel},
		{"cancelled", late, context.Canceled},
		{"endless picture", tooWide, groupvit.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !errors.Is(c.got, c.want) {
				t.Errorf("error %v, want %v", c.got, c.want)
			}
		})
	}
}

func TestExtremeShapes(t *testing.T) {
	for name, m := range map[string]*groupvit.Model{"paper": openModel(t, paperConfig()), "local": openModel(t, localConfig())} {
		for _, size := range [][2]int{{1, 1}, {1, 300}, {300, 1}, {33, 7}, {13, 9}} {
			s, err := m.Segment(t.Context(), photo(size[0], size[1]), []string{"dog", "cat"}, nil)
			if err != nil {
				t.Errorf("%s, %v: %v", name, size, err)
			} else if s.Map.Width != size[0] || s.Map.Height != size[1] {
				t.Errorf("%s, %v: map %d×%d", name, size, s.Map.Width, s.Map.Height)
			}
		}
	}
}

// TestWholePhoto: an eval.json without windows looks at odd sizes in one pass.
func TestWholePhoto(t *testing.T) {
	for name, eval := range map[string]string{
		"whole":  `{"short_side": 37, "long_side": 53, "background_threshold": 0.2, "templates": "identity"}`,
		"squash": `{"short_side": 40, "squash": true}`,
	} {
		dir := saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(eval)})
		m, err := groupvit.Open(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Segment(t.Context(), photo(61, 34), []string{"dog", "cat"}, nil)
		if err != nil || s.Report.Windows != 1 || s.Map.Width != 61 {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
		if name == "whole" && (s.Report.SeenWidth != 53 || s.Report.Background != "words, 0.2" || s.Report.Templates != "identity") {
			t.Errorf("report %+v", s.Report)
		}
		m.Close()
	}
}

// TestNote: a report says when a photo was not looked at as the published
// numbers were made.
func TestNote(t *testing.T) {
	m := openModel(t, paperConfig()) // trained at 32 pixels
	for _, c := range []struct {
		options groupvit.SegmentOptions
		want    string
	}{
		{groupvit.SegmentOptions{Protocol: groupvit.Paper}, "short side 64, windows of 64 and stride 32, not 448, 448 and 224: the same proportions for a model trained at 32 pixels, not 224"},
		{groupvit.SegmentOptions{Protocol: groupvit.Paper, ShortSide: 40}, "short side 40, windows of 40 and stride 20, not 448, 448 and 224"},
		{groupvit.SegmentOptions{Protocol: groupvit.Paper, ShortSide: 448}, ""},
		{groupvit.SegmentOptions{Protocol: groupvit.Port}, "the model was trained at 32 pixels, not 224"},
		{groupvit.SegmentOptions{Protocol: groupvit.Best}, ""},
	} {
		if c.options.ShortSide == 448 && testing.Short() {
			continue
		}
		s, err := m.Segment(t.Context(), photo(60, 45), []string{"dog"}, &c.options)
		if err != nil {
			t.Fatal(err)
		}
		if s.Report.Note != c.want {
			t.Errorf("%+v: note %q, want %q", c.options, s.Report.Note, c.want)
		}
	}
}

// TestClosed: no method of a closed model answers, not even from its cache; the
// computation that runs when Close is called ends first.
func TestClosed(t *testing.T) {
	m := openModel(t, paperConfig())
	e, err := m.Encode(t.Context(), photo(50, 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Segment(t.Context(), []string{"dog"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := m.EmbedText(t.Context(), "dog"); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				if _, err := m.Segment(t.Context(), photo(50, 40), []string{"cat"}, nil); err != nil {
					if !errors.Is(err, groupvit.ErrClosed) {
						t.Errorf("while closing: %v", err)
					}
					return
				}
			}
		})
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	wait.Wait()
	for name, call := range map[string]func() error{
		"Segment":         func() error { _, err := m.Segment(t.Context(), photo(9, 9), []string{"dog"}, nil); return err },
		"Encoded.Segment": func() error { _, err := e.Segment(t.Context(), []string{"dog"}, nil); return err },
		"Encode":          func() error { _, err := m.Encode(t.Context(), photo(9, 9), nil); return err },
		"EmbedText":       func() error { _, err := m.EmbedText(t.Context(), "dog"); return err },
		"EmbedImage":      func() error { _, err := m.EmbedImage(t.Context(), photo(9, 9)); return err },
		"Classify":        func() error { _, err := m.Classify(t.Context(), photo(9, 9), []string{"dog"}); return err },
		"Groups":          func() error { _, err := m.Groups(t.Context(), photo(9, 9)); return err },
	} {
		if err := call(); !errors.Is(err, groupvit.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

// TestCaps: what options and an eval.json ask for is bounded before memory is
// taken.
func TestCaps(t *testing.T) {
	open := func(eval string) *groupvit.Model {
		m, err := groupvit.Open(t.Context(), saveModel(t, localConfig(), map[string][]byte{"eval.json": []byte(eval)}), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	many := make([]string, 250)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	for _, c := range []struct {
		name   string
		model  *groupvit.Model
		labels []string
		side   int
		want   string
	}{
		{"windows", open(`{"short_side": 512, "window": 8, "stride": 1}`), []string{"dog"}, 0, "windows"},
		{"patches", open(`{"short_side": 4096}`), []string{"dog"}, 0, "patches"},
		{"scores", open(`{"short_side": 880}`), many, 0, "class scores"},
		{"option", openModel(t, paperConfig()), []string{"dog"}, 4096, "patches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.model.Segment(t.Context(), photo(60, 45), c.labels, &groupvit.SegmentOptions{ShortSide: c.side})
			if !errors.Is(err, groupvit.ErrTooLarge) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %s", err, c.want)
			}
		})
	}
	// A strip of any length is looked at in one pass of bounded size.
	s, err := open(`{"short_side": 16}`).Segment(t.Context(), photo(3000, 1), []string{"dog"}, nil)
	if err != nil || s.Report.SeenWidth > 8*16 {
		t.Errorf("strip: %v, %+v", err, s)
	}
}
