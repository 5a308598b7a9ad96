package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/weights"
)

// Names inside a run's directory.
const (
	logFile        = "log.jsonl"
	recipeFile     = "recipe.yaml"
	checkpointsDir = "checkpoints"
	finalDir       = "final"
	dataDir        = "data"
	optimizerFile  = "optimizer.safetensors"
)

// ErrResume is wrapped by errors about a run that cannot be continued as asked.
var ErrResume = errors.New("cannot continue this run")

// state is a checkpoint's state.json.
type state struct {
	Format int `json:"format"`
	// Step is the number of steps done, and so the next batch's number; Updates
	// those that changed the weights.
	Step    int `json:"step"`
	Updates int `json:"updates"`
	// Total is the number of steps of the whole run.
	Total int `json:"total"`
	// Seconds is the time spent so far.
	Seconds float64 `json:"seconds"`
	// Settings are all settings by key.
	Settings map[string]any `json:"settings"`
}

const stateFormat = 1

// saveOptimizer writes the moments.
func (t *Stepper) saveOptimizer(dir string) error {
	out := map[string]weights.Tensor{}
	for _, p := range t.params {
		if !p.Trainable {
			continue
		}
		for prefix, path := range map[string]string{"m/": firstMoment, "v/": secondMoment} {
			values, err := t.read(path + p.Name)
			if err != nil {
				return err
			}
			out[prefix+p.Name] = weights.Tensor{Shape: p.Shape, Floats: values}
		}
	}
	return weights.WriteTensors(filepath.Join(dir, optimizerFile), out)
}

// loadOptimizer reads the moments.
func (t *Stepper) loadOptimizer(dir string) error {
	saved, err := weights.ReadTensors(filepath.Join(dir, optimizerFile))
	if err != nil {
		return err
	}
	for _, p := range t.params {
		if !p.Trainable {
			continue
		}
		for prefix, path := range map[string]string{"m/": firstMoment, "v/": secondMoment} {
			x, ok := saved[prefix+p.Name]
			if !ok || len(x.Floats) != p.Size() {
				return fmt.Errorf("%w: %s: tensor %q has %d values, expected shape %v", weights.ErrWeights, optimizerFile, prefix+p.Name, len(x.Floats), p.Shape)
			}
			if err := t.store.GetVariable(path + p.Name).SetValue(tensors.FromFlatDataAndDimensions(x.Floats, p.Shape...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// saveCheckpoint writes DIR/checkpoints/STEP, whole or not at all, then removes
// the oldest beyond those to keep.
func (r *run) saveCheckpoint(step int) error {
	m, err := r.model()
	if err != nil {
		return err
	}
	s := state{
		Format: stateFormat, Step: step, Updates: r.stepper.updates, Total: r.total,
		Seconds: r.seconds(), Settings: r.values,
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	m.Extra[weights.StateFile] = append(data, '\n')
	dir := filepath.Join(r.options.Output, checkpointsDir, strconv.Itoa(step))
	if err := weights.Save(dir, m, weights.SaveOptions{More: r.stepper.saveOptimizer}); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w; earlier checkpoints are untouched", step, err)
	}
	r.saved = step
	return r.prune()
}

// prune removes the oldest checkpoints, and what killed runs left half-written.
func (r *run) prune() error {
	folder := filepath.Join(r.options.Output, checkpointsDir)
	steps, err := checkpoints(r.options.Output)
	if err != nil {
		return err
	}
	for i := r.settings.Output.Keep; i < len(steps); i++ {
		if err := os.RemoveAll(filepath.Join(folder, strconv.Itoa(steps[i]))); err != nil {
			return fmt.Errorf("remove an old checkpoint: %w", err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), ".tmp-") {
			_ = os.RemoveAll(filepath.Join(folder, e.Name())) // only litter
		}
	}
	return nil
}

// checkpoints lists the steps of a run's checkpoints, newest first.
func checkpoints(dir string) ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(dir, checkpointsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() && n >= 0 && strconv.Itoa(n) == e.Name() {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	return steps, nil
}

// newest reads a run's newest whole checkpoint. Those that cannot be read are
// passed over, with a warning each. Without any it returns a nil model.
func newest(dir string, warn func(string)) (string, *weights.Model, state, error) {
	steps, err := checkpoints(dir)
	if err != nil {
		return "", nil, state{}, fmt.Errorf("%w: %w", ErrResume, err)
	}
	for _, n := range steps {
		path := filepath.Join(dir, checkpointsDir, strconv.Itoa(n))
		s, err := readState(path)
		var m *weights.Model
		if err == nil {
			m, err = weights.Open(path)
		}
		if err == nil {
			_, err = os.Stat(filepath.Join(path, optimizerFile))
		}
		if err == nil {
			return path, m, s, nil
		}
		warn(fmt.Sprintf("checkpoint %s is not whole and is passed over: %v", path, err))
	}
	return "", nil, state{}, nil
}

func readState(dir string) (state, error) {
	var s state
	f, err := os.Open(filepath.Join(dir, weights.StateFile))
	if err != nil {
		return s, err
	}
	defer f.Close()
	data, err := readAllLimited(f, 1<<20)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && (s.Format != stateFormat || s.Step < 0 || s.Updates < 0 || s.Updates > s.Step) {
		err = fmt.Errorf("format %d, step %d, %d updates", s.Format, s.Step, s.Updates)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", weights.StateFile, err)
	}
	return s, nil
}

// harmlessKeys may differ between a run and its continuation: they do not
// change what a step computes.
var harmlessKeys = []string{"name", "engine", "threads", "init", "steps", "epochs", "data.train", "data.workers", "data.prefetch", "data.cache_megabytes"}

// sameRun checks that a continued run computes what the first one did.
func sameRun(before, now map[string]any) error {
	round := map[string]any{} // through JSON, as before was
	data, err := json.Marshal(now)
	if err == nil {
		err = json.Unmarshal(data, &round)
	}
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(round)) {
		if slices.Contains(harmlessKeys, key) || strings.HasPrefix(key, "output.") || strings.HasPrefix(key, "evaluate.") {
			continue
		}
		old, known := before[key]
		if known && !reflect.DeepEqual(old, round[key]) {
			return fmt.Errorf("%w: %s was %v and is now %v: use the same recipe, or another output directory with init", ErrResume, key, old, round[key])
		}
	}
	return nil
}
