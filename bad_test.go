package groupvit_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

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
		{"protocol", segment(m, []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: "magic"}}), groupvit.ErrOption},
		{"threshold", segment(m, []string{"dog"}, &groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Background: groupvit.BackgroundBelow(2)}}), groupvit.ErrOption},
		{"templates", segment(m, []string{"dog"}, &groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Templates: "haiku"}}), groupvit.ErrOption},
		{"size", segment(m, []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Best, ShortSide: 3}}), groupvit.ErrOption},
		{"background of hf", segment(m, []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.HF}, QueryOptions: groupvit.QueryOptions{Background: groupvit.BackgroundBelow(0.5)}}), groupvit.ErrOption},
		{"size of hf", segment(m, []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.HF, ShortSide: 64}}), groupvit.ErrOption},
		{"no photo", noPhoto, groupvit.ErrOption},
		{"paper without groups", segment(local, []string{"dog"}, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Paper}}), groupvit.ErrOption},
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
			_, err := c.model.Segment(t.Context(), photo(60, 45), c.labels, &groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: c.side}})
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

// TestDamagedWeights: numbers that are none are an error and not a result.
func TestDamagedWeights(t *testing.T) {
	for _, name := range []string{"logit_scale", "visual_projection.3.bias", "text_projection.3.bias", "vision_model.embeddings.patch_embeddings.projection.bias"} {
		t.Run(name, func(t *testing.T) {
			c := paperConfig()
			m := &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: weights.ImageNetMean, Std: weights.ImageNetStd}
			if len(m.Tensors[name]) == 0 {
				t.Fatal("no such tensor")
			}
			m.Tensors[name][0] = float32(math.NaN())
			dir := filepath.Join(t.TempDir(), "model")
			if err := weights.Save(dir, m, weights.SaveOptions{}); err != nil {
				t.Fatal(err)
			}
			opened, err := groupvit.Open(t.Context(), dir, &groupvit.Options{Engine: "go"})
			if err == nil {
				defer opened.Close()
				_, err = opened.Segment(t.Context(), photo(20, 20), []string{"dog"}, nil)
			}
			if !errors.Is(err, groupvit.ErrModel) || !strings.Contains(err.Error(), "NaN") {
				t.Errorf("error %v", err)
			}
		})
	}
}
