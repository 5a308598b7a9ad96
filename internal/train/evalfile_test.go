package train

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

func evalOf(t *testing.T, recipe string) *modelfile.Eval {
	t.Helper()
	l, err := settings.Load("../../recipes/"+recipe, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Settings.EvalFile()
	if err != nil {
		t.Fatal(err)
	}
	if b == nil {
		return nil
	}
	var e modelfile.Eval
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return &e
}

func TestEvalFileOfRecipes(t *testing.T) {
	for _, recipe := range []string{"groupvit-gcc-yfcc.yaml", "groupvit-gcc-redcaps.yaml", "smoke.yaml"} {
		if e := evalOf(t, recipe); e != nil {
			t.Errorf("%s: the paper's model is used as the paper does, got %+v", recipe, e)
		}
	}
	want := &modelfile.Eval{
		ShortSide: 64, Templates: modelfile.ListTemplates([]string{"{}", "a {}", "a photo of a {}"}),
		StuffTemplates: modelfile.ListTemplates([]string{"{}", "the {}", "a photo of {}"}), StuffWords: []string{"grass", "sand", "water", "brick"},
	}
	for _, w := range synth.Words() {
		want.Words = append(want.Words, []string{w})
	}
	for _, recipe := range []string{"scenes.yaml", "scenes-soft.yaml", "scenes-local.yaml", "scenes-pixelwise.yaml", "scenes-paper.yaml"} {
		if d := cmp.Diff(want, evalOf(t, recipe)); d != "" {
			t.Errorf("%s (-want +got)\n%s", recipe, d)
		}
	}
	photos := evalOf(t, "photos.yaml")
	stuff := 0
	for _, w := range nouns.Builtin() {
		has := slices.Contains(photos.BackgroundWords, w.Name)
		if has != (w.Kind == nouns.Stuff) {
			t.Errorf("%s %s among the background words: %v", w.Kind, w.Name, has)
		}
		if has {
			stuff++
		}
	}
	if photos.BackgroundRule != "probability" || photos.Threshold != 0.1 || photos.ShortSide != 96 || !photos.Squash || len(photos.Templates.Forms) != 4 || len(photos.BackgroundWords) != stuff {
		t.Errorf("photos: %+v", photos)
	}
}

// The final model knows its prompts and its size, and the library uses them.
func TestFinalModelSaysHowToUseIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	l, err := settings.Load("../../recipes/scenes.yaml", nil, []settings.Override{
		{Key: "steps", Value: "1"}, {Key: "batch", Value: "2"}, {Key: "data.train", Value: traintest.Scenes(t, 4)}, {Key: "engine", Value: "go"},
		{Key: "evaluate.background_kinds", Value: "[stuff]"}, {Key: "model.text.vocabulary", Value: "1024"},
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(context.Background(), Options{Loaded: l, Output: dir, Progress: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := groupvit.Open(t.Context(), result.Final, &groupvit.Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Segment(t.Context(), image.NewGray(image.Rect(0, 0, 64, 64)), []string{"ball", "grass"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := s.Report
	if r.SeenWidth != 64 || r.Windows != 1 || r.Protocol != groupvit.Best || r.Templates != "{}; a {}; a photo of a {}" || r.Background != "words" {
		t.Errorf("report %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, checkpointsDir, "1", modelfile.EvalName)); err != nil {
		t.Error(err)
	}
}
