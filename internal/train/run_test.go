package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/train/traintest"
	"github.com/groupvit/groupvit/internal/weights"
)

// A tiny network learns eight pictures by heart: both losses fall far below
// chance.
func TestOverfit(t *testing.T) {
	l := traintest.Load(t, "batch=8", "model.drop_path=0", "model.variant.soft_assign=true", "data.augment.crop=none", "data.augment.flip=0", "data.train="+traintest.Scenes(t, 8))
	loader, err := pairs.Open(context.Background(), traintest.LoaderOptions(t, l.Settings))
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	batch, err := loader.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s, err := stepper.New(enginetest.New(t, engine.Go, 0), l.Settings, network.Initialize(l.Settings.Model, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var metrics map[string]float64
	for step := range 60 {
		var ok bool
		if metrics, ok, err = s.Step(batch, step, 3e-3); err != nil || !ok {
			t.Fatalf("step %d: %v, %v", step, ok, err)
		}
	}
	if chance := math.Log(8); metrics[stepper.MetricImageText] > 0.6*chance {
		t.Errorf("after 60 steps on one batch the image-text loss is %.3f, chance is %.3f", metrics[stepper.MetricImageText], chance)
	}
}

// A run that is stopped in the middle and continued has the losses of one that
// was not, to the bit, and ends with the same weights.
func TestResumeIsExact(t *testing.T) {
	data := traintest.Scenes(t, 60)
	settings := func() *settings.Loaded {
		return traintest.Load(t, "steps=10", "threads=1", "output.checkpoint_every=4", "output.log_every=1", "data.train="+data)
	}
	whole, result, err := watched(t, context.Background(), Options{Loaded: settings(), Output: filepath.Join(t.TempDir(), "whole")})
	if err != nil || len(whole) != 10 || result.Steps != 10 {
		t.Fatalf("%d steps, %v", len(whole), err)
	}
	dir := filepath.Join(t.TempDir(), "parts")
	ctx, cancel := context.WithCancel(context.Background())
	first, _, err := watched(t, ctx, Options{Loaded: settings(), Output: dir, afterStep: func(step int, _ map[string]float64) {
		if step == 6 {
			cancel()
		}
	}})
	if !errors.Is(err, ErrInterrupted) || len(first) != 7 {
		t.Fatalf("%d steps, %v", len(first), err)
	}
	// The newest checkpoint is damaged: the one before it is taken, and what was
	// logged after it is done again.
	if err := os.Truncate(filepath.Join(dir, checkpointsDir, "7", weights.WeightsFile), 100); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	second, result2, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir, Resume: true, Progress: &said})
	if err != nil || len(second) != 6 || !strings.Contains(said.String(), "not whole") {
		t.Fatalf("%d steps, %v, said %q", len(second), err, said.String())
	}
	if !slices.Equal(append(first[:4:4], second...), whole) {
		t.Errorf("losses differ\n%v and\n%v, uninterrupted\n%v", first, second, whole)
	}
	a, err := weights.Open(result.Final)
	if err != nil {
		t.Fatal(err)
	}
	b, err := weights.Open(result2.Final)
	if err != nil || a.SHA256 != b.SHA256 {
		t.Errorf("the final weights differ: %v", err)
	}
	// The words that were met are counted as if nothing had happened.
	counted := a.Extra[modelfile.WordCountsName]
	c, err := modelfile.ReadWordCounts(counted)
	if err != nil || !bytes.Equal(counted, b.Extra[modelfile.WordCountsName]) {
		t.Fatalf("words %.200s and %.200s, %v", counted, b.Extra[modelfile.WordCountsName], err)
	}
	batch := settings().Settings.Batch // the first pass over 60 pictures is counted
	if words, least := c.Most(1000); c.Captions != min(10, (60+batch-1)/batch)*batch || len(words) < 5 || least != 1 {
		t.Errorf("%d captions, %v", c.Captions, words)
	}
	text, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, text := range lines {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil || l.Step != i+1 || l.Loss != whole[i] {
			t.Errorf("line %d of the log: %s (%v)", i, text, err)
		}
	}
	if len(lines) != 10 {
		t.Errorf("%d lines in the log", len(lines))
	}
	if steps, _ := checkpoints(dir); !slices.Equal(steps, []int{10, 8}) {
		t.Errorf("checkpoints %v", steps)
	}
	// Another network cannot continue it.
	l := settings()
	l.Settings.Optimizer.LearningRate = 1e-3
	if _, _, err := watched(t, context.Background(), Options{Loaded: l, Output: dir, Resume: true}); !errors.Is(err, ErrResume) {
		t.Errorf("other settings continued the run: %v", err)
	}
	if _, _, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir}); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("the run was begun again over itself: %v", err)
	}
}

// Steps whose loss is not finite change nothing, are counted, and end the run
// after a while.
func TestNotFinite(t *testing.T) {
	l := traintest.Load(t, "output.max_skipped=3", "data.train="+traintest.Scenes(t, 20))
	initial := network.Initialize(l.Settings.Model, 1)
	initial[network.LogitScale][0] = float32(math.NaN())
	model := &weights.Model{Config: l.Settings.Model, Tensors: initial, Mean: l.Settings.Data.Mean, Std: l.Settings.Data.Std}
	l.Settings.Init = filepath.Join(t.TempDir(), "nan")
	if err := weights.Save(l.Settings.Init, model, weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	dir := filepath.Join(t.TempDir(), "run")
	losses, result, err := watched(t, context.Background(), Options{Loaded: l, Output: dir, Progress: &said})
	if !errors.Is(err, ErrDiverged) || len(losses) != 3 || result.Skipped != 3 || strings.Count(said.String(), "not finite") != 3 {
		t.Errorf("%d steps, %+v, %v, said %q", len(losses), result, err, said.String())
	}
	s, err := stepper.New(enginetest.New(t, engine.Go, 0), l.Settings, initial)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	loader, err := pairs.Open(context.Background(), traintest.LoaderOptions(t, l.Settings))
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	batch, _ := loader.Next(context.Background())
	if _, ok, err := s.Step(batch, 0, 1e-3); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	now, err := s.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range now {
		if name != network.LogitScale && !slices.Equal(values, initial[name]) {
			t.Errorf("%s changed", name)
		}
	}
}

func TestBadOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	data := traintest.Scenes(t, 4)
	for _, c := range []struct{ name, output, data, want string }{
		{"a file", file, data, "output"},
		{"below a file", filepath.Join(file, "x"), data, "output"},
		{"none", "", data, "--output"},
		{"no data named", t.TempDir(), "", "--train-data"},
		{"data missing", t.TempDir(), filepath.Join(file, "none.tar"), "none.tar"},
		{"bad number of scenes", t.TempDir(), "synth:many", "synth:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := watched(t, context.Background(), Options{Loaded: traintest.Load(t, "data.train="+c.data), Output: c.output})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestMain lets the test binary stand in for the program: TestDiskFull starves it.
func TestMain(m *testing.M) {
	dir := os.Getenv("TRAIN_TEST_OUTPUT")
	if dir == "" {
		os.Exit(m.Run())
	}
	l, err := settings.Load("../../recipes/smoke.yaml", nil, []settings.Override{
		{Key: "steps", Value: "1000000"}, {Key: "output.checkpoint_every", Value: "1"}, {Key: "output.log_every", Value: "1"},
		{Key: "batch", Value: "4"}, {Key: "data.train", Value: os.Getenv("TRAIN_TEST_DATA")},
	})
	if err == nil {
		_, err = Run(context.Background(), Options{Loaded: l, Output: dir, Resume: true})
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
