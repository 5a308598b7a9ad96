package tune

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// scenes writes scenes with masks in VOC's folders, and some with captions alone.
func scenes(t *testing.T, n int) (labelled, captioned string) {
	t.Helper()
	dir := t.TempDir()
	scene := synth.Options{Size: 48, MinRadius: 8, MaxRadius: 14}
	for name, o := range map[string]synth.DataOptions{
		"masks": {Scenes: n, Seed: 1, Scene: scene, VOC: true}, "captions": {Scenes: 12, Seed: 2, Scene: scene, Shards: true},
	} {
		if err := synth.Write(context.Background(), filepath.Join(dir, name), o); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "masks"), filepath.Join(dir, "captions")
}

// small are options of a run of seconds with the embedded model.
func small(t *testing.T) Options {
	labelled, captioned := scenes(t, 24)
	return Options{
		Masks: masks.Options{Path: labelled}, Captions: captioned, HoldOut: 0.25, Steps: 40, Batch: 8, Seed: 3,
		Output: filepath.Join(t.TempDir(), "tuned"), Progress: new(bytes.Buffer),
		Overrides: []settings.Override{{Key: "optimizer.ema", Value: "0.9", Origin: "test"}, {Key: "model.image_size", Value: "48", Origin: "test"}},
	}
}

// TestGain: a few scenes with masks teach the embedded model scenes, and stopped
// anywhere the run ends with the same bits.
func TestGain(t *testing.T) {
	o := small(t)
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, o.Progress)
	}
	if r.Learn != 18 || r.HeldOut != 6 || r.Captioned != 12 || r.Before == nil || r.After == nil {
		t.Fatalf("%+v", r)
	}
	t.Logf("mIoU %.1f → %.1f at step %d", r.Before.MIoU, r.After.MIoU, r.Step)
	if !r.Gained || r.After.MIoU < r.Before.MIoU+5 {
		t.Errorf("mIoU %.1f → %.1f: scenes are learnt easily", r.Before.MIoU, r.After.MIoU)
	}
	m, err := groupvit.Open(context.Background(), r.Final, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	e, err := modelfile.ReadEval(m.Settings())
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range synth.Words() {
		if !slices.ContainsFunc(e.Words, func(names []string) bool { return slices.Contains(names, word) }) {
			t.Errorf("the tuned model has no word %q", word)
		}
	}

	stopped := o
	stopped.Output, stopped.Resume = filepath.Join(t.TempDir(), "stopped"), true
	stops := 0
	for ; stops < 8; stops++ {
		ctx, cancel := context.WithCancel(context.Background())
		stopped.Progress = &stopper{cancel: cancel, at: []string{"learning", "step 5:", "step 20:", "after:"}[min(stops, 3)]}
		if stops > 3 {
			stopped.Progress = new(bytes.Buffer)
		}
		_, err = Run(ctx, stopped)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, train.ErrInterrupted) && !errors.Is(err, context.Canceled) {
			t.Fatalf("stop %d: %v", stops, err)
		}
	}
	if err != nil || stops < 3 {
		t.Fatalf("%d stops: %v", stops, err)
	}
	for _, name := range []string{"final/model.safetensors", "final/eval.json", "data/train/photos-000000.tar"} {
		a, b := sum(t, filepath.Join(o.Output, name)), sum(t, filepath.Join(stopped.Output, name))
		if a != b {
			t.Errorf("after %d stops %s is another file", stops, name)
		}
	}

	// The same again is the same; anything else is refused by name.
	if again, err := Run(context.Background(), stopped); err != nil || again.After.MIoU != r.After.MIoU {
		t.Errorf("again: %v, %v", again, err)
	}
	other := stopped
	other.Seed++
	if _, err := Run(context.Background(), other); !errors.Is(err, ErrOutput) || !strings.Contains(err.Error(), "seed (3, now 4)") {
		t.Errorf("another seed: %v", err)
	}
	other = stopped
	other.Resume = false
	if _, err := Run(context.Background(), other); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("without resume: %v", err)
	}
}

// stopper ends a context at a line of progress that begins in some way.
type stopper struct {
	cancel context.CancelFunc
	at     string
}

func (s *stopper) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, s.at) {
			s.cancel()
		}
	}
	return len(b), nil
}

func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// TestNothingGained: where the best model of a run is not better, the one that it
// started from comes out, and the run says so.
func TestNothingGained(t *testing.T) {
	o := small(t)
	o.Captions = ""
	if err := o.defaults(); err != nil {
		t.Fatal(err)
	}
	tuning := &tuning{Options: o}
	if err := tuning.open(); err != nil {
		t.Fatal(err)
	}
	set, err := masks.Open(context.Background(), o.Masks)
	if err != nil {
		t.Fatal(err)
	}
	words, of, err := vocabulary(modelWords(tuning.usage), set.Classes)
	if err != nil {
		t.Fatal(err)
	}
	tuning.words = words
	if err := tuning.prepare(record{}); err != nil {
		t.Fatal(err)
	}
	if err := tuning.begin(context.Background(), set, of, data{}); err != nil {
		t.Fatal(err)
	}
	result := &Result{Before: &Measurement{MIoU: 100}, HeldOut: 6}
	if err := tuning.decide(context.Background(), filepath.Join(o.Output, startDir), result); err != nil {
		t.Fatal(err)
	}
	said := o.Progress.(*bytes.Buffer).String()
	if result.Gained || result.After.MIoU >= 100 || !strings.Contains(said, "nothing was gained on the 6 photos set aside") {
		t.Errorf("%+v\n%s", result, said)
	}
	m, err := groupvit.Open(context.Background(), result.Final, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !bytes.Equal(m.Settings(), tuning.model.Extra[modelfile.EvalName]) {
		t.Error("the model that comes out is not the one that went in")
	}
}

// TestBadRuns: what cannot be tuned is refused with a reason before anything is
// trained, and broken photos are left out.
func TestBadRuns(t *testing.T) {
	o := small(t)
	for name, spoil := range map[string]func(*Options){
		"no masks":       func(o *Options) { o.Masks.Path = "" },
		"no output":      func(o *Options) { o.Output = "" },
		"all set aside":  func(o *Options) { o.HoldOut, o.Masks.Limit = 0.9, 2 },
		"bad share":      func(o *Options) { o.HoldOut = 1 },
		"unknown key":    func(o *Options) { o.Overrides = []settings.Override{{Key: "no.such", Value: "1", Origin: "test"}} },
		"negative steps": func(o *Options) { o.Steps = -1 },
	} {
		bad := o
		bad.Output = filepath.Join(t.TempDir(), "bad")
		bad.HoldOut = 0.25
		spoil(&bad)
		if _, err := Run(context.Background(), bad); !errors.Is(err, ErrOptions) && !errors.Is(err, settings.ErrSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(o.Masks.Path, "SegmentationClass", "broken.png"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Masks.Path, "JPEGImages", "broken.png"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	o.Captions, o.Steps, o.HoldOut, o.Batch, o.Output = "", 1, 0, 4, filepath.Join(t.TempDir(), "once")
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, o.Progress)
	}
	if r.Skipped["broken label map"] != 1 || r.Learn != 24 || r.HeldOut != 0 || r.Before != nil || !r.Gained {
		b, _ := json.Marshal(r)
		t.Errorf("%s", b)
	}
}
