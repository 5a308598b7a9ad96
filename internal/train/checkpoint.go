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

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/weights"
)

// Names inside a run's directory.
const (
	logFile        = "log.jsonl"
	measuredFile   = "measured.jsonl"
	curvesFile     = "curves.png"
	boardDir       = "tensorboard"
	picturesDir    = "pictures"
	bestDir        = "best"
	recipeFile     = "recipe.yaml"
	checkpointsDir = "checkpoints"
	dataDir        = "data"
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
	// Good is the step of the checkpoint that a broken run goes back to: this one,
	// or where this one was written because the run was interrupted, the one
	// before, as in a run that was not; -1 is the beginning.
	Good int `json:"good"`
	// Guard and Monitor are what was known of the losses and of collapse, Best is
	// the best model so far, Data what was learnt from.
	Guard   guardState   `json:"guard"`
	Monitor monitorState `json:"monitor"`
	Best    *Best        `json:"best,omitempty"`
	// Measured is the step of the last measurement, -1 without one.
	Measured int       `json:"measured"`
	Data     dataState `json:"data"`
	// Settings are all settings by key.
	Settings map[string]any `json:"settings"`
}

const stateFormat = 1

// dataState tells data sets apart.
type dataState struct {
	Samples     int    `json:"samples"`
	Fingerprint string `json:"fingerprint"`
}

// saveCheckpoint writes DIR/checkpoints/STEP, whole or not at all, then removes
// the oldest beyond those to keep. regular ones are those that an uninterrupted
// run writes, too, and so the ones to go back to.
func (r *run) saveCheckpoint(step int, regular bool) error {
	m, err := r.model()
	if err != nil {
		return err
	}
	s := state{
		Format: stateFormat, Step: step, Updates: r.stepper.Updates, Total: r.total,
		Seconds: r.seconds(), Good: r.good, Settings: r.values,
		Guard: r.guard.state, Monitor: r.monitor.state, Best: r.result.Best, Data: r.dataState(),
	}
	if regular {
		s.Good = step
	}
	if r.measuring != nil {
		s.Measured = r.measuring.last
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	m.Extra[weights.StateFile] = append(data, '\n')
	dir := filepath.Join(r.options.Output, checkpointsDir, strconv.Itoa(step))
	if err := weights.Save(dir, m, weights.SaveOptions{More: r.stepper.SaveOptimizer}); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w; earlier checkpoints are untouched", step, err)
	}
	r.saved, r.good = step, s.Good
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
		if steps[i] == r.good {
			continue
		}
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

// origin is where a run starts, or goes back to.
type origin struct {
	dir     string // of the checkpoint; "" for the beginning
	state   state
	tensors map[string][]float32
	words   []byte // its word_counts.json; nil without
}

// newest reads a run's newest whole checkpoint. Those that cannot be read are
// passed over, with a warning each. Without any the origin's dir is "".
func newest(dir string, warn func(string)) (origin, error) {
	steps, err := checkpoints(dir)
	if err != nil {
		return origin{}, fmt.Errorf("%w: %w", ErrResume, err)
	}
	for _, n := range steps {
		o, err := readCheckpoint(filepath.Join(dir, checkpointsDir, strconv.Itoa(n)))
		if err == nil {
			return o, nil
		}
		warn(err.Error() + ": it is passed over")
	}
	return origin{}, nil
}

// readCheckpoint reads a checkpoint, all but the optimizer's tensors.
func readCheckpoint(path string) (origin, error) {
	s, err := readState(path)
	var m *weights.Model
	if err == nil {
		m, err = weights.Open(path)
	}
	if err == nil {
		_, err = os.Stat(filepath.Join(path, stepper.OptimizerFile))
	}
	if err != nil {
		return origin{}, fmt.Errorf("checkpoint %s is not whole: %w", path, err)
	}
	return origin{path, s, m.Tensors, m.Extra[modelfile.WordCountsName]}, nil
}

func readState(dir string) (state, error) {
	s := state{Good: -2}
	f, err := os.Open(filepath.Join(dir, weights.StateFile))
	if err != nil {
		return s, err
	}
	defer f.Close()
	data, err := limits.ReadAll(f, 1<<20)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && (s.Format != stateFormat || s.Step < 0 || s.Updates < 0 || s.Updates > s.Step) {
		err = fmt.Errorf("format %d, step %d, %d updates", s.Format, s.Step, s.Updates)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", weights.StateFile, err)
	}
	if s.Good < -1 { // written before there was one
		s.Good = s.Step
	}
	return s, nil
}

// harmlessKeys may differ between a run and its continuation: they do not
// change what a step computes.
var harmlessKeys = []string{"name", "engine", "threads", "devices", "init", "steps", "epochs", "data.train", "data.workers", "data.prefetch", "data.cache_megabytes", "data.patience", "data.may_change"}

// harmlessSections are sections of such keys. Those of safety do change what
// follows a broken step, which a person who continues a run may well want.
var harmlessSections = []string{"output.", "evaluate.", "measure.", "safety."}

// holdOutKey decides what is learnt from, too.
const holdOutKey = "measure.hold_out"

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
		harmless := func(section string) bool { return strings.HasPrefix(key, section) }
		if key != holdOutKey && (slices.Contains(harmlessKeys, key) || slices.ContainsFunc(harmlessSections, harmless)) {
			continue
		}
		old, known := before[key]
		if known && !reflect.DeepEqual(old, round[key]) {
			return fmt.Errorf("%w: %s was %v and is now %v: use the same recipe, or another output directory with init", ErrResume, key, old, round[key])
		}
	}
	return nil
}
