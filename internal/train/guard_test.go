package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

func TestLimit(t *testing.T) {
	s := settings.DefaultSafety()
	s.Window = 8
	steady := []float64{4, 4.1, 3.9, 4, 4.1, 3.9, 4, 4.2}
	for _, c := range []struct {
		name   string
		losses []float64
		spike  float64
		want   float64
	}{
		{"too few", steady[:7], 10, math.MaxFloat32},
		{"off", steady, 0, math.MaxFloat32},
		// Median 4; distances 0 0 0 .1 .1 .1 .1 .2, median .1; 20 deviations.
		{"deviations", steady, 20, 4 + 20*1.4826*0.1},
		// Half of ln 48 is more than 1 deviation.
		{"at least half of chance", steady, 1, 4 + math.Log(48)/2},
		{"an outlier moves little", append(slices.Clone(steady[1:]), 1000), 20, 4.05 + 20*1.4826*0.1},
		{"only the last count", append([]float64{100, 100, 100}, steady...), 20, 4 + 20*1.4826*0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Spike = c.spike
			g := newGuard(s, 48)
			for _, loss := range c.losses {
				g.good(loss)
			}
			if got := float64(g.limit()); math.Abs(got-c.want) > 1e-6*c.want {
				t.Errorf("limit %g, want %g", got, c.want)
			}
		})
	}
}

// A loss above the limit changes nothing: no weight, no moment, no statistics.
func TestStepAboveTheLimit(t *testing.T) {
	l := traintest.Load(t, "data.train="+traintest.Scenes(t, 20))
	s, err := stepper.New(enginetest.New(t, engine.Go, 0), l.Settings, network.Initialize(l.Settings.Model, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	loader, err := pairs.Open(context.Background(), traintest.LoaderOptions(t, l.Settings))
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	batch, err := loader.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		limit float32
		ok    bool
	}{{0.5, false}, {1000, true}} {
		s.Limit = c.limit
		if _, ok, err := s.Step(batch, 0, 1e-3); err != nil || ok != c.ok {
			t.Fatalf("limit %g: %v, %v", c.limit, ok, err)
		}
		after, err := s.Weights()
		if err != nil {
			t.Fatal(err)
		}
		same := true
		for name, values := range after {
			same = same && slices.Equal(values, before[name])
		}
		if same == c.ok {
			t.Errorf("limit %g: weights unchanged: %v", c.limit, same)
		}
	}
	if s.Updates != 1 {
		t.Errorf("%d updates", s.Updates)
	}
}

// spoiled makes the pictures of some steps not finite.
func spoiled(steps ...int) func(int, *pairs.Batch) {
	return func(step int, b *pairs.Batch) {
		if slices.Contains(steps, step) {
			b.Pixels[0] = float32(math.NaN())
		}
	}
}

// Broken steps one after the other bring the run back to its last good
// checkpoint. A run that is interrupted among them and continued does the same,
// to the bit.
func TestRollBack(t *testing.T) {
	data := traintest.Scenes(t, 60)
	settings := func() *settings.Loaded {
		return traintest.Load(t, "steps=14", "threads=1", "batch=4", "output.checkpoint_every=4", "output.log_every=1", "data.train="+data,
			"safety.roll_back_after=2", "measure.pictures=0")
	}
	bad := spoiled(5, 9, 10)
	var said bytes.Buffer
	whole, result, err := watched(t, context.Background(), Options{
		Loaded: settings(), Output: filepath.Join(t.TempDir(), "whole"), Progress: &said, beforeStep: bad,
	})
	if err != nil || result.Skipped != 3 || result.RollBacks != 1 || !strings.Contains(said.String(), "back to the weights of step 8") {
		t.Fatalf("%+v, %v, said %s", result, err, said.String())
	}
	text := func(losses []float64) string { return fmt.Sprint(losses) } // NaN is not equal to itself
	for _, stop := range []int{6, 9, 10, 12} {
		dir := filepath.Join(t.TempDir(), fmt.Sprint(stop))
		ctx, cancel := context.WithCancel(context.Background())
		first, _, err := watched(t, ctx, Options{Loaded: settings(), Output: dir, beforeStep: bad, afterStep: func(step int, _ map[string]float64) {
			if step == stop {
				cancel()
			}
		}})
		if !errors.Is(err, ErrInterrupted) {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
		second, again, err := watched(t, context.Background(), Options{Loaded: settings(), Output: dir, Resume: true, beforeStep: bad})
		if err != nil || again.Skipped != 3 || again.RollBacks != 1 {
			t.Fatalf("stopped at %d: %+v, %v", stop, again, err)
		}
		if got := append(first, second...); text(got) != text(whole) {
			t.Errorf("stopped at %d: losses\n%v and\n%v, uninterrupted\n%v", stop, first, second, whole)
		}
	}
}

// Where going back does not help, the run ends.
func TestRollBacksEnd(t *testing.T) {
	l := traintest.Load(t, "steps=40", "batch=4", "data.train="+traintest.Scenes(t, 20), "safety.roll_back_after=2", "safety.max_roll_backs=3", "output.max_skipped=100", "measure.pictures=0")
	every := make([]int, 40)
	for i := range every {
		every[i] = i
	}
	losses, result, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run"), beforeStep: spoiled(every...)})
	if !errors.Is(err, ErrDiverged) || result.RollBacks != 3 || len(losses) != 8 {
		t.Errorf("%d steps, %+v, %v", len(losses), result, err)
	}
}

// A checkpoint that falls on a broken step is written after the next good one.
func TestCheckpointAfterBrokenStep(t *testing.T) {
	l := traintest.Load(t, "steps=8", "batch=4", "data.train="+traintest.Scenes(t, 20), "output.checkpoint_every=4", "output.keep=9", "measure.pictures=0")
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := watched(t, context.Background(), Options{Loaded: l, Output: dir, beforeStep: spoiled(3)}); err != nil {
		t.Fatal(err)
	}
	if steps, err := checkpoints(dir); err != nil || !slices.Equal(steps, []int{8, 5}) {
		t.Errorf("checkpoints %v, %v", steps, err)
	}
}

// A run does not continue with other data, unless it is told to.
func TestChangedData(t *testing.T) {
	data := traintest.Scenes(t, 30)
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := watched(t, context.Background(), Options{Loaded: traintest.Load(t, "steps=2", "batch=4", "data.train="+data, "measure.pictures=0"), Output: dir}); err != nil {
		t.Fatal(err)
	}
	less := traintest.Scenes(t, 20)
	o := Options{Loaded: traintest.Load(t, "steps=4", "batch=4", "data.train="+less, "measure.pictures=0"), Output: dir, Resume: true}
	if _, _, err := watched(t, context.Background(), o); !errors.Is(err, ErrResume) || !strings.Contains(err.Error(), "30 samples") {
		t.Errorf("got %v", err)
	}
	o.Loaded = traintest.Load(t, "steps=4", "batch=4", "data.train="+less, "data.may_change=true", "measure.pictures=0")
	if _, _, err := watched(t, context.Background(), o); err != nil {
		t.Error(err)
	}
}
