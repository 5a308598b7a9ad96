package passes

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// recipe is three passes on scenes: captions alone, then two students with a context
// branch.
const recipe = `
base: %s
batch: 32
steps: 120
model:
  patch_size: 8
  variant:
    stem: {channels: [16, 32, 64], blocks: [0, 1], batch_norm: true}
output: {log_every: 20, checkpoint_every: 20}
measure: {root: %s, dataset: scenes}
passes:
  - name: captions
  - name: student
    label: {round: 1, views: [64], grid: 16, share: 0.8, balance: none}
    steps: 80
    model: {variant: {context: {channels: [48, 64], blocks: [1, 1], mlp: 64}}}
    loss: {explain_weight: 0, dense_weight: 3}
  - name: again
    label: {round: 2, views: [64], grid: 16, models: [captions, student], balance: none}
    steps: 60
    model: {variant: {context: {channels: [48, 64], blocks: [1, 1], mlp: 64}}}
    loss: {explain_weight: 0, dense_weight: 3}
    data: {augment: {mosaic: 0.2, cutmix: 0.2}}
`

// prepared writes scenes and a recipe, and returns options for a run of it.
func prepared(t *testing.T, scenes int) Options {
	t.Helper()
	dir := t.TempDir()
	for name, o := range map[string]synth.DataOptions{
		"train": {Scenes: scenes, Seed: 1, Shards: true}, "test": {Scenes: 40, Seed: 1, First: 1 << 32, VOC: true},
	} {
		if err := synth.Write(context.Background(), filepath.Join(dir, name), o); err != nil {
			t.Fatal(err)
		}
	}
	base, err := filepath.Abs("../../recipes/scenes-local.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "recipe.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, recipe, base, filepath.Join(dir, "test")), 0o666); err != nil {
		t.Fatal(err)
	}
	passes, err := settings.Passes(file)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Recipe: file, Passes: passes, Output: filepath.Join(dir, "run"), Progress: new(bytes.Buffer),
		Overrides: []settings.Override{{Key: "data.train", Value: filepath.Join(dir, "train"), Origin: "test"}},
	}
}

// sums are the checksums of what a run is: masks, models, optimizers.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		ending := filepath.Ext(path)
		if err != nil || d.IsDir() || ending != ".safetensors" && ending != ".tar" {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// miou is the last measurement of a pass.
func miou(t *testing.T, o Options, pass int) float64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(o.Output, o.Passes[pass].Folder(pass), "measured.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	_, rest, ok := strings.Cut(lines[len(lines)-1], `"mIoU":`)
	var v float64
	if _, err := fmt.Sscanf(rest, "%g", &v); err != nil || !ok {
		t.Fatalf("%s: %v", lines[len(lines)-1], err)
	}
	return v
}

// TestStudentsLearnMore trains three passes of seconds each: students that learn from
// the masks of a model that knows the captions segment better than it. Stopped in
// every pass, they end with the same bits.
func TestStudentsLearnMore(t *testing.T) {
	whole := prepared(t, 300)
	result, err := Run(context.Background(), whole)
	if err != nil {
		t.Fatalf("%v\n%s", err, whole.Progress)
	}
	captions, student, again := miou(t, whole, 0), miou(t, whole, 1), miou(t, whole, 2)
	t.Logf("mIoU: captions %.1f, student %.1f, again %.1f", captions, student, again)
	if !(student > captions+3) || !(again > student-3) {
		t.Errorf("mIoU of the passes: %.1f, %.1f, %.1f: the students should be better", captions, student, again)
	}
	if _, err := os.Stat(filepath.Join(result.Final, "model.safetensors")); err != nil {
		t.Error(err)
	}

	stopped := whole
	stopped.Output, stopped.Resume = filepath.Join(filepath.Dir(whole.Output), "stopped"), true
	calls := 0
	for ; calls < 30; calls++ {
		ctx, cancel := context.WithCancel(context.Background())
		at := []string{"step ", "labelled "}[min(calls, 3)/3*(calls%2)]
		stopped.Progress = &stopper{cancel: cancel, at: at, after: 1 + calls%3}
		_, err = Run(ctx, stopped)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, train.ErrInterrupted) && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if err != nil || calls < 3 {
		t.Fatalf("stopped %d times: %v", calls, err)
	}
	want, got := sums(t, whole.Output), sums(t, stopped.Output)
	for _, name := range []string{"final/model.safetensors", "2-student/masks/labelled-000000.tar", "3-again/final/model.safetensors"} {
		if want[name] == "" || got[name] != want[name] {
			t.Errorf("after %d stops %s is another file", calls, name)
		}
	}
}

// stopper ends a context after so many lines of progress that begin in some way.
type stopper struct {
	cancel context.CancelFunc
	at     string
	after  int
}

func (s *stopper) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, s.at) {
			s.after--
		}
	}
	if s.after <= 0 {
		s.cancel()
	}
	return len(b), nil
}

// The embedded model's recipe is one that can be run: every key of its passes and of
// their labels is known.
func TestDefaultRecipe(t *testing.T) {
	o := Options{Recipe: "../../recipes/default.yaml", Output: t.TempDir(), Overrides: []settings.Override{{Key: "data.train", Value: "synth:8", Origin: "test"}}}
	var err error
	if o.Passes, err = settings.Passes(o.Recipe); err != nil {
		t.Fatal(err)
	}
	passes, err := plan(o)
	if err != nil || len(passes) != 3 {
		t.Fatalf("%d passes, %v", len(passes), err)
	}
	for i, p := range passes[1:] {
		if p.label.Sources != "synth:8" || p.loaded.Settings.Data.Train != p.masks() || p.loaded.Settings.Init != settings.Final(passes[i].folder) {
			t.Errorf("%s labels %q, learns from %q and starts from %q", p.Name, p.label.Sources, p.loaded.Settings.Data.Train, p.loaded.Settings.Init)
		}
	}
	if first, second := passes[1].label.settings, passes[2].label.settings; first.BalanceCap != 3 || second.High <= first.High {
		t.Errorf("settings of the labels: %+v, %+v", first, second)
	}
}
