package train

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// openFed opens what a run opens: loader, engine, stepper.
func openFed(t *testing.T, l *settings.Loaded) (*pairs.Loader, *stepper.Stepper) {
	t.Helper()
	loader, err := pairs.Open(context.Background(), traintest.LoaderOptions(t, l.Settings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loader.Close)
	backend, err := engine.New(engine.Options{Kind: l.Settings.Engine, Threads: l.Settings.Threads, Training: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backend.Finalize)
	s, err := stepper.New(backend, l.Settings, network.Initialize(l.Settings.Model, l.Settings.Seed))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return loader, s
}

// That batches are made ready while a step runs changes no bit: batches and random
// numbers are those of steps that take one batch after the other. Whole and in
// parts, on both engines.
func TestFeedChangesNothing(t *testing.T) {
	data := traintest.Scenes(t, 60)
	for name, changes := range map[string][]string{
		"whole": nil, "in parts": {"micro_batch=5"}, "tower frozen, in parts": {"micro_batch=6", "optimizer.freeze=['vision_model.*']"},
	} {
		for _, kind := range engine.Available() {
			if kind == engine.XLA {
				continue // its sums are not the same twice on several threads
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				settings := func() *settings.Loaded {
					return traintest.Load(t, append(changes, "engine="+kind, "steps=5", "threads=1", "batch=12", "measure.pictures=0", "data.train="+data)...)
				}
				l := settings()
				fed, _, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run")})
				if err != nil {
					t.Fatal(err)
				}
				loader, s := openFed(t, settings())
				plan := l.Settings.Plan(5, l.Settings.StepsPerEpoch(loader.StepsPerPass()))
				var want []float64
				for step := range 5 {
					next := func() (*stepper.Ready, error) { return one(context.Background(), loader, s.Upload, step, nil) }
					_, metrics, ok, err := s.StepFrom(next, step, plan.Rate(step))
					if err != nil || !ok {
						t.Fatal(ok, err)
					}
					want = append(want, metrics[stepper.MetricLoss])
				}
				if !slices.Equal(fed, want) {
					t.Errorf("losses %v, one after the other %v", fed, want)
				}
			})
		}
	}
}

// While a step has batch 0, batch 1 is made ready; stopping does not wait for data
// that is not there.
func TestFeedWorksAhead(t *testing.T) {
	data := traintest.Scenes(t, 24)
	loader, s := openFed(t, traintest.Load(t, "batch=4", "data.prefetch=1", "data.patience=600", "data.train="+data))
	seen := make(chan int, 100)
	f := feed(context.Background(), loader, s.Upload, 0, func(step int, _ *pairs.Batch) { seen <- step })
	r, err := f.next()
	if err != nil || r.Part.Batch.Step != 0 || len(r.Inputs) == 0 || r.Part.Batch.Pixels != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	for want := range 2 {
		select {
		case got := <-seen:
			if got != want {
				t.Fatalf("batch %d, want %d", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatal("batch 1 is not made ready while batch 0 is in use")
		}
	}
	r.Free()
	shards, err := filepath.Glob(filepath.Join(data, "*.tar"))
	if err != nil || len(shards) == 0 {
		t.Fatal(shards, err)
	}
	for _, path := range shards {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	for range 8 { // until the loader waits for the file
		select {
		case x := <-f.made:
			x.ready.Free()
		case <-time.After(200 * time.Millisecond):
		}
	}
	stopped := make(chan bool)
	go func() { f.stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Fatal("stopping waits for data")
	}
}
