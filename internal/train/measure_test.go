package train

import (
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
	"github.com/groupvit/groupvit/internal/weights"
)

// maskedScenes draws scenes with masks, in the layout of VOC.
func maskedScenes(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "masked")
	o := synth.DataOptions{Scenes: n, Seed: 5, First: 1 << 32, VOC: true}
	if err := synth.Write(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// opened decodes a PNG and returns its width and height.
func opened(t *testing.T, path string) (width, height int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return im.Bounds().Dx(), im.Bounds().Dy()
}

// measurements reads measured.jsonl.
func measurements(t *testing.T, dir string) (all []map[string]float64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, measuredFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var m map[string]float64
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// A run measures as it goes, keeps the best model, and draws pictures and curves;
// continued after an interruption it leaves the same numbers.
func TestMeasure(t *testing.T) {
	data, masked := traintest.Scenes(t, 40), maskedScenes(t, 6)
	settings := func() *settings.Loaded {
		return traintest.Load(t, "steps=8", "threads=1", "batch=4", "output.log_every=1", "output.checkpoint_every=2", "data.train="+data,
			"measure.every=3", "measure.data="+data, "measure.root="+masked, "measure.limit=5", "measure.pictures=2", "output.keep_best=true")
	}
	dir := filepath.Join(t.TempDir(), "run")
	_, result, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir})
	if err != nil {
		t.Fatal(err)
	}
	found := measurements(t, dir)
	best, steps := 0.0, []float64{}
	for _, m := range found {
		steps, best = append(steps, m["step"]), max(best, m["mIoU"])
		for _, key := range []string{"mIoU", "pixel_accuracy", "image_to_text_R@1", "image_to_text_R@5", "image_to_text_R@10", "text_to_image_R@10"} {
			if v, ok := m[key]; !ok || v < 0 || v > 100 {
				t.Errorf("step %v: %s is %v, %v", m["step"], key, v, ok)
			}
		}
	}
	if !slices.Equal(steps, []float64{3, 6, 8}) {
		t.Errorf("measured at steps %v", steps)
	}
	if result.Best == nil || result.Best.MIoU != best || result.Measured["mIoU"] != found[2]["mIoU"] {
		t.Errorf("best %+v, measured %v, last %v", result.Best, found, result.Measured)
	}
	if _, err := weights.Open(filepath.Join(dir, bestDir)); err != nil {
		t.Error(err)
	}
	for _, name := range []string{curvesFile, "pictures/step-0000003.png", "pictures/step-0000008.png"} {
		if w, h := opened(t, filepath.Join(dir, name)); w < 500 || h < 300 {
			t.Errorf("%s has %d×%d pixels", name, w, h)
		}
	}
	for _, stop := range []int{2, 4, 5} {
		again := filepath.Join(t.TempDir(), "again")
		ctx, cancel := context.WithCancel(context.Background())
		_, _, err := watched(t, ctx, Options{Loaded: settings(), Output: again, afterStep: func(step int, _ map[string]float64) {
			if step == stop { // the context ends before what follows this step is measured
				cancel()
			}
		}})
		if !errors.Is(err, ErrInterrupted) {
			t.Fatal(err)
		}
		_, continued, err := watched(t, context.Background(), Options{Loaded: settings(), Output: again, Resume: true})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := *result.Best, *continued.Best; a.Step != b.Step || a.MIoU != b.MIoU {
			t.Errorf("best %+v, of the uninterrupted run %+v", b, a)
		}
		for i, m := range measurements(t, again) {
			if m["mIoU"] != found[i]["mIoU"] || m["step"] != found[i]["step"] {
				t.Errorf("stopped after %d: %v, uninterrupted %v", stop, m, found[i])
			}
		}
	}
}

// What cannot be measured is told before the training; what fails while it trains
// costs the measurement alone.
func TestMeasureFails(t *testing.T) {
	data, masked := traintest.Scenes(t, 20), maskedScenes(t, 3)
	for name, change := range map[string]string{
		"no such shards": "measure.data=" + filepath.Join(masked, "none.tar"),
		"no such folder": "measure.root=" + filepath.Join(masked, "none"),
		"unknown class":  "measure.classes=[unicorn]",
	} {
		t.Run(name, func(t *testing.T) {
			changes := []string{"steps=2", "batch=4", "data.train=" + data, "measure.root=" + masked, change}
			losses, _, err := watched(t, context.Background(), Options{Loaded: traintest.Load(t, changes...), Output: filepath.Join(t.TempDir(), "run")})
			if err == nil || len(losses) != 0 {
				t.Errorf("%d steps, %v", len(losses), err)
			}
		})
	}
	var said strings.Builder
	l := traintest.Load(t, "steps=4", "batch=4", "data.train="+data, "measure.every=2", "measure.root="+masked)
	_, result, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run"), Progress: &said, afterStep: func(step int, _ map[string]float64) {
		if step == 0 {
			if err := os.RemoveAll(filepath.Join(masked, "SegmentationClass")); err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil || result.Final == "" || strings.Count(said.String(), "not measured") != 2 {
		t.Errorf("%+v, %v, said %s", result, err, said.String())
	}
}

// A model that was being replaced when the run was killed is put back, and the
// rest is cleared away.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".best.tmp-1-old/config.json", ".final.tmp-2/config.json", "final/config.json", ".final.tmp-3-old/config.json", ".recipe.yaml.tmp-", "log.jsonl", ".hidden"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := tidy(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{".hidden", "best", "final", "log.jsonl"}; !slices.Equal(names, want) {
		t.Errorf("left %q, want %q", names, want)
	}
}
