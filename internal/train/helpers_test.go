package train

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit/internal/synth"
)

// scenes draws a few scenes and returns their folder.
func scenes(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scenes")
	if err := synth.Write(context.Background(), dir, synth.DataOptions{Scenes: n, Seed: 5, Shards: true, Labels: true}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// load reads the smoke recipe with changes "key=value".
func load(t *testing.T, changes ...string) *Loaded {
	t.Helper()
	return loadRecipe(t, "../../recipes/smoke.yaml", changes...)
}

// loadRecipe reads a recipe with changes "key=value".
func loadRecipe(t *testing.T, recipe string, changes ...string) *Loaded {
	t.Helper()
	var overrides []Override
	for _, c := range changes {
		key, value, _ := bytes.Cut([]byte(c), []byte("="))
		overrides = append(overrides, Override{string(key), string(value), "test"})
	}
	l, err := Load(recipe, nil, overrides)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// watched runs and records the loss of every step.
func watched(t *testing.T, ctx context.Context, o Options) ([]float64, *Result, error) {
	t.Helper()
	var losses []float64
	after := o.afterStep
	o.afterStep = func(step int, metrics map[string]float64) {
		losses = append(losses, metrics[metricLoss])
		if after != nil {
			after(step, metrics)
		}
	}
	if o.Progress == nil {
		o.Progress = new(bytes.Buffer)
	}
	result, err := Run(ctx, o)
	return losses, result, err
}
