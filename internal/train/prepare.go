package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/weights"
)

// prepareOutput makes the directory, and notices before any work is done that
// it cannot be written or holds another run.
func (r *run) prepareOutput() error {
	dir := r.options.Output
	if dir == "" {
		return fmt.Errorf("%w: no output directory: name one with --output", settings.ErrSettings)
	}
	if r.settings.Data.Train == "" {
		return fmt.Errorf("%w: no training data: name shards with --train-data or data.train", settings.ErrSettings)
	}
	if err := os.MkdirAll(filepath.Join(dir, checkpointsDir), 0o777); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if err := tidy(dir); err != nil {
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

// tidy removes what a killed run left half-written in its directory. A model that
// was being replaced, and now is not there, is put back.
func tidy(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, _, litter := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".tmp-")
		if !litter || !strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if strings.HasSuffix(e.Name(), "-old") {
			if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
				if err := os.Rename(path, filepath.Join(dir, name)); err != nil {
					return err
				}
				continue
			}
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// writeWhole writes a file that is whole or not there.
func writeWhole(path string, content []byte) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp-")
	err := os.WriteFile(temporary, content, 0o644)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	return err
}

// writeRecipe leaves the settings in the run's directory, as a recipe.
func (r *run) writeRecipe() error {
	text, err := r.options.Loaded.YAML(true)
	if err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(r.options.Output, recipeFile), text); err != nil {
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
		return fmt.Errorf("%w: data.train: %q: %s needs a number of scenes from 1 to 1,000,000", settings.ErrSettings, o.Sources, SynthPrefix)
	}
	o.Sources = filepath.Join(r.options.Output, dataDir)
	if _, err := os.Stat(o.Sources); err == nil {
		return nil // drawn by an earlier call; it appears whole or not at all
	}
	return synth.Write(ctx, o.Sources, synth.DataOptions{Scenes: n, Seed: r.settings.Seed + 1, Shards: true})
}

// openData opens the loader and finds out how many steps there are.
func (r *run) openData(ctx context.Context) error {
	o, err := r.settings.LoaderOptions()
	if err != nil {
		return err
	}
	if err := r.drawScenes(ctx, &o); err != nil {
		return err
	}
	if r.tokenizer, err = o.Tokenizer.Files(r.settings.Model.Text.Context); err != nil {
		return err
	}
	// The loader outlives the context: what is interrupted still writes a
	// checkpoint, and Close ends the loader.
	if r.loader, err = pairs.Open(context.WithoutCancel(ctx), o); err != nil {
		return err
	}
	r.total = r.settings.Steps
	if r.total == 0 {
		r.total = max(1, int(r.settings.Epochs*float64(r.settings.StepsPerEpoch(r.loader.StepsPerPass()))))
	}
	return nil
}

// begin brings the run to where it starts: its newest checkpoint or the
// beginning.
func (r *run) begin() error {
	if r.options.Resume {
		o, err := newest(r.options.Output, func(text string) { r.progress.say("%s", text) })
		if err != nil {
			return err
		}
		if o.dir != "" {
			return r.resume(o)
		}
		r.progress.say("no checkpoint in %s: starting anew", r.options.Output)
	}
	o, err := r.beginning()
	if err != nil {
		return err
	}
	if err := r.beginCounting(o, r.settings.Init == ""); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	return r.load(o)
}

// resume continues from a checkpoint.
func (r *run) resume(o origin) error {
	s := o.state
	if err := sameRun(s.Settings, r.values); err != nil {
		return err
	}
	if err := r.sameData(s.Data); err != nil {
		return err
	}
	if err := r.newTotal(s); err != nil {
		return err
	}
	if err := r.beginCounting(o, false); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrResume, o.dir, err)
	}
	if err := r.load(o); err != nil {
		return err
	}
	if err := r.loader.Seek(s.Step); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrResume, o.dir, err)
	}
	r.start, r.saved, r.good, r.before = s.Step, s.Step, s.Good, s.Seconds
	r.guard.state, r.result.Best = s.Guard, s.Best
	r.monitor.restore(s.Monitor)
	if r.measuring != nil {
		r.measuring.last = s.Measured
	}
	r.progress.say("continuing from %s", o.dir)
	return nil
}

// newTotal says what another number of steps does to a run that is continued, and
// refuses one that would begin the schedule again after its end.
func (r *run) newTotal(s state) error {
	if s.Total == r.total {
		return nil
	}
	if s.Step > r.total {
		return fmt.Errorf("%w: %d steps are done, more than the %d that are asked for; give at least %d, or another output directory", ErrResume, s.Step, r.total, s.Step)
	}
	perEpoch := r.settings.StepsPerEpoch(r.loader.StepsPerPass())
	before, now := r.settings.Plan(s.Total, perEpoch), r.settings.Plan(r.total, perEpoch)
	old, rate := before.Rate(s.Step), now.Rate(s.Step)
	if s.Step >= s.Total && rate > old {
		return fmt.Errorf("%w: the run ended after %d of %d steps, and with %d the learning rate would rise again, from %.3g to %.3g; to train on, begin a run with --init %s in another output directory",
			ErrResume, s.Step, s.Total, r.total, old, rate, settings.Final(r.options.Output))
	}
	r.progress.say("the run now has %d steps instead of %d: the learning rate follows the new number and goes on from %.3g instead of %.3g", r.total, s.Total, rate, old)
	return nil
}

// at returns a checkpoint of this run; step -1 is the beginning.
func (r *run) at(step int) (origin, error) {
	if step < 0 {
		return r.beginning()
	}
	return readCheckpoint(filepath.Join(r.options.Output, checkpointsDir, strconv.Itoa(step)))
}

// load makes a stepper with an origin's weights and optimizer.
func (r *run) load(o origin) error {
	if r.stepper != nil {
		r.stepper.Close()
		r.stepper = nil
	}
	var err error
	if r.stepper, err = stepper.New(r.backend, r.settings, o.tensors); err != nil || o.dir == "" {
		return err
	}
	r.stepper.Updates = o.state.Updates
	if err := r.stepper.LoadOptimizer(o.dir); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrResume, o.dir, err)
	}
	return nil
}

// beginning returns the weights that a run starts from.
func (r *run) beginning() (origin, error) {
	if r.settings.Init == "" {
		return origin{tensors: network.Initialize(r.settings.Model, r.settings.Seed)}, nil
	}
	m, err := weights.Open(r.settings.Init)
	if err != nil {
		return origin{}, fmt.Errorf("init: %w", err)
	}
	tensors, report, err := startFrom(m, r.settings.Model, r.settings.Seed)
	if err != nil {
		return origin{}, err
	}
	r.progress.say("init %s: %s", r.settings.Init, report)
	return origin{tensors: tensors, words: m.Extra[modelfile.WordCountsName]}, nil
}
