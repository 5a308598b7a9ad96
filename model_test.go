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
	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// paperConfig is the paper's network in small, localConfig a variant that reads
// its map from patches.
func paperConfig() network.Config { return weightstest.Config() }

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
		{"paper without background", paper, &groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Background: groupvit.NoBackground()}}, []string{"dog", "grass"}, groupvit.Paper, 2},
		{"port", paper, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.HF}}, []string{"dog", "grass"}, groupvit.HF, 1},
		{"best from groups", paper, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}}, []string{"dog|puppy", "grass"}, groupvit.Best, 2},
		{"best from patches", local, nil, []string{"dog", "🐕"}, groupvit.Best, 2},
		{"best, small", local, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: 16}, QueryOptions: groupvit.QueryOptions{Background: groupvit.BackgroundBelow(0.9)}}, []string{"dog"}, groupvit.Best, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Scores: true}}
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
	if p := e.Protocol(); p != groupvit.Paper {
		t.Errorf("it was encoded for %q", p)
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
		o := &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Techniques: &groupvit.Techniques{}}}
		s, err := m.Segment(t.Context(), photo(61, 34), []string{"dog", "cat"}, o)
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
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Paper}}, "short side 64, windows of 64 and stride 32, not 448, 448 and 224: the same proportions for a model trained at 32 pixels, not 224"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Paper, ShortSide: 40}}, "short side 40, windows of 40 and stride 20, not 448, 448 and 224"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Paper, ShortSide: 448}}, ""},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.HF}}, "the model was trained at 32 pixels, not 224"},
		{groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best}}, ""},
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

func TestSummary(t *testing.T) {
	dir := saveModel(t, paperConfig(), nil)
	m, err := groupvit.Open(t.Context(), dir, &groupvit.Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, c := m.Summary(), paperConfig()
	trained := 0
	for _, p := range c.Params() {
		if p.Trainable {
			trained += p.Size()
		}
	}
	if s.Parameters != trained || !s.Paper || s.Name != dir || len(s.SHA256) != 64 || s.ImageSize != m.ImageSize() || s.Protocol != groupvit.Paper ||
		!slices.Equal(s.Groups, []int{6, 3}) || s.Mean != weights.ImageNetMean || s.Info != m.Info() || m.Engine() == "" {
		t.Errorf("%+v", s)
	}
	config, err := m.Config()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(filepath.Join(dir, weights.ConfigFile))
	if err != nil || string(stored) != string(config) {
		t.Errorf("the configuration differs from the stored one: %v\n%s", err, config)
	}
	local := openModel(t, localConfig()).Summary()
	if local.Paper || local.Protocol != groupvit.Best || local.Map != "patches" || len(local.Groups) != 0 {
		t.Errorf("%+v", local)
	}
}

// TestOwnTokenizer: a model's own tokenizer is used; one with more tokens than
// the model knows is refused, and so are words for a vocabulary without one.
func TestOwnTokenizer(t *testing.T) {
	c := paperConfig()
	whole, err := bpe.Truncated(c.Text.Vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	files, err := whole.Files(c.Text.Context)
	if err != nil {
		t.Fatal(err)
	}
	own := files["tokenizer.json"]
	for _, test := range []struct {
		name       string
		vocabulary int
		tokenizer  []byte
		want       string
	}{
		{"its own", c.Text.Vocabulary, own, ""},
		{"too many tokens", c.Text.Vocabulary - 20, own, "the model knows 580"},
		{"damaged", c.Text.Vocabulary, own[:len(own)/2], "tokenizer"},
		{"no words", 60, nil, "it has no words"},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := c
			other.Text.Vocabulary = test.vocabulary
			dir := saveModel(t, other, nil)
			if test.tokenizer != nil {
				if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), test.tokenizer, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			m, err := groupvit.Open(t.Context(), dir, &groupvit.Options{Engine: "go"})
			if err == nil {
				defer m.Close()
				_, err = m.EmbedText(t.Context(), "dog")
			}
			if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, groupvit.ErrModel) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
