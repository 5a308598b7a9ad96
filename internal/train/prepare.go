package train

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/weights"
)

// prepareOutput makes the directory, and notices before any work is done that
// it cannot be written or holds another run.
func (r *run) prepareOutput() error {
	dir := r.options.Output
	if dir == "" {
		return fmt.Errorf("%w: no output directory: name one with --output", ErrSettings)
	}
	if r.settings.Data.Train == "" {
		return fmt.Errorf("%w: no training data: name shards with --train-data or data.train", ErrSettings)
	}
	if err := os.MkdirAll(filepath.Join(dir, checkpointsDir), 0o777); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	steps, err := checkpoints(dir)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	_, err = os.Stat(filepath.Join(dir, logFile))
	if !r.options.Resume && (len(steps) > 0 || err == nil) {
		return fmt.Errorf("output: %s holds a run already: continue it with --resume or name another directory", dir)
	}
	return nil
}

// writeRecipe leaves the settings in the run's directory, as a recipe.
func (r *run) writeRecipe() error {
	text, err := r.options.Loaded.YAML(true)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.options.Output, recipeFile), text, 0o644); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// SynthPrefix starts a data.train that asks for synthetic scenes instead of
// shards: "synth:512" draws 512 of them into the run's directory.
const SynthPrefix = "synth:"

// drawScenes makes the training data that data.train asks for.
func (r *run) drawScenes(ctx context.Context, o *pairs.Options) error {
	number, ok := strings.CutPrefix(o.Sources, SynthPrefix)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 1_000_000 {
		return fmt.Errorf("%w: data.train: %q: %s needs a number of scenes from 1 to 1,000,000", ErrSettings, o.Sources, SynthPrefix)
	}
	o.Sources = filepath.Join(r.options.Output, dataDir)
	if _, err := os.Stat(o.Sources); err == nil {
		return nil // drawn by an earlier call; it appears whole or not at all
	}
	return synth.Write(ctx, o.Sources, synth.DataOptions{Scenes: n, Seed: r.settings.Seed + 1, Shards: true})
}

// openData opens the loader and finds out how many steps there are.
func (r *run) openData(ctx context.Context) error {
	o, err := r.settings.pairsOptions()
	if err != nil {
		return err
	}
	if err := r.drawScenes(ctx, &o); err != nil {
		return err
	}
	if r.tokenizer, err = o.Tokenizer.Files(); err != nil {
		return err
	}
	// The loader outlives the context: what is interrupted still writes a
	// checkpoint, and Close ends the loader.
	if r.loader, err = pairs.Open(context.WithoutCancel(ctx), o); err != nil {
		return err
	}
	r.total = r.settings.Steps
	if r.total == 0 {
		r.total = max(1, int(r.settings.Epochs*float64(r.loader.StepsPerPass())))
	}
	return nil
}

// startingPoint returns the newest checkpoint's directory (or "") and the
// weights to start from.
func (r *run) startingPoint() (string, map[string][]float32, error) {
	if r.options.Resume {
		dir, m, s, err := newest(r.options.Output, func(text string) { r.progress.say("%s", text) })
		if err != nil {
			return "", nil, err
		}
		if m != nil {
			if err := sameRun(s.Settings, r.values); err != nil {
				return "", nil, err
			}
			if s.Total != r.total {
				r.progress.say("the run now has %d steps instead of %d: the learning rate follows the new number", r.total, s.Total)
			}
			r.start, r.saved, r.before = s.Step, s.Step, s.Seconds
			return dir, m.Tensors, nil
		}
		r.progress.say("no checkpoint in %s: starting anew", r.options.Output)
	}
	if r.settings.Init == "" {
		return "", network.Initialize(r.settings.Model, r.settings.Seed), nil
	}
	m, err := weights.Open(r.settings.Init)
	if err != nil {
		return "", nil, fmt.Errorf("init: %w", err)
	}
	tensors := network.Initialize(r.settings.Model, r.settings.Seed)
	for _, p := range r.settings.Model.Params() {
		if values, ok := m.Tensors[p.Name]; ok && len(values) == p.Size() {
			tensors[p.Name] = values
		} else if !p.Optional {
			return "", nil, fmt.Errorf("%w: init: %s has %d values for tensor %q, the model needs shape %v", ErrSettings, r.settings.Init, len(values), p.Name, p.Shape)
		}
	}
	return "", tensors, nil
}

// restore brings optimizer and data to a checkpoint's position.
func (r *run) restore(dir string) error {
	if dir == "" {
		return nil
	}
	s, err := readState(dir)
	if err == nil {
		r.stepper.updates = s.Updates
		err = r.stepper.loadOptimizer(dir)
	}
	if err == nil {
		err = r.loader.Seek(s.Step)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrResume, dir, err)
	}
	r.progress.say("continuing from %s", dir)
	return nil
}
