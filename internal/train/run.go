package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/weights"
)

// ErrInterrupted is returned by [Run] when its context ended before the run did.
// A checkpoint of the last finished step has been written.
var ErrInterrupted = errors.New("training interrupted")

// ErrDiverged is returned by [Run] when too many steps in a row had a loss or a
// gradient that is not finite.
var ErrDiverged = errors.New("training diverged")

// Options say what [Run] does.
type Options struct {
	// Loaded are the settings.
	Loaded *Loaded
	// Output is the run's directory.
	Output string
	// Resume continues from the newest whole checkpoint in Output; without one
	// the run starts anew. Without Resume, an Output that holds a run is an
	// error.
	Resume bool
	// Progress gets progress and warnings; nil is os.Stderr. A bar is drawn only
	// on a terminal.
	Progress io.Writer
	// AfterCheckpoint, if set, is called with the directory of each checkpoint
	// and at the end with that of the final model. Its error ends the run.
	AfterCheckpoint func(ctx context.Context, dir string, step int) error
	// afterStep lets tests look at every step.
	afterStep func(step int, metrics map[string]float64)
}

// Result says how a run went.
type Result struct {
	// Steps is the number of steps done in all, Skipped those of this call that
	// were not finite.
	Steps, Skipped int
	// Loss is the last step's.
	Loss float64
	// Final is the directory of the final model, "" if the run did not end.
	Final string
	// Data says what the loader met.
	Data pairs.Report
}

// run is the state of one call of Run.
type run struct {
	options   Options
	settings  Settings
	values    map[string]any
	loader    *pairs.Loader
	stepper   *Stepper
	tokenizer map[string][]byte
	total     int
	start     int // steps done before this call
	saved     int // step of the newest checkpoint, -1 for none
	began     time.Time
	before    float64 // seconds spent in earlier calls
	log       *os.File
	progress  *progress
	skipped   int
}

// Run trains: it writes Output/log.jsonl (one object a logged step),
// Output/checkpoints/STEP (model, optimizer, position in the data) and, at the
// end, Output/final (a model directory).
//
// When ctx ends, it finishes the step, writes a checkpoint and returns an error
// that wraps [ErrInterrupted]. Other errors wrap [ErrSettings], [ErrResume],
// [ErrDiverged], pairs' errors, or are the file system's; whatever happens, the
// checkpoints that were whole stay whole.
func Run(ctx context.Context, o Options) (*Result, error) {
	r := &run{options: o, settings: o.Loaded.Settings, saved: -1, values: map[string]any{}}
	for _, v := range o.Loaded.Values() {
		r.values[v.Key] = v.Value
	}
	if err := r.settings.Validate(); err != nil {
		return nil, err
	}
	if r.options.Progress == nil {
		r.options.Progress = os.Stderr
	}
	r.progress = newProgress(r.options.Progress, false, 0, 0)
	if err := r.prepareOutput(); err != nil {
		return nil, err
	}
	if err := r.openData(ctx); err != nil {
		return nil, err
	}
	defer r.loader.Close()
	backend, err := engine.New(engine.Options{Kind: r.settings.Engine, Threads: r.settings.Threads, Precision: engine.Float32})
	if err != nil {
		return nil, err
	}
	defer backend.Finalize()
	checkpoint, initial, err := r.startingPoint()
	if err != nil {
		return nil, err
	}
	if r.stepper, err = NewStepper(backend, r.settings, initial); err != nil {
		return nil, err
	}
	defer r.stepper.Close()
	if err := r.writeRecipe(); err != nil {
		return nil, err
	}
	if err := r.restore(checkpoint); err != nil {
		return nil, err
	}
	if r.log, err = openLog(o.Output, r.start); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer r.log.Close()
	return r.loop(ctx)
}

func (r *run) loop(ctx context.Context) (*Result, error) {
	to := r.options.Progress
	f, isFile := to.(*os.File)
	r.progress = newProgress(to, isFile && term.IsTerminal(int(f.Fd())), r.total, r.start)
	defer r.progress.end()
	plan := r.settings.plan(r.total, r.loader.StepsPerPass())
	r.began = time.Now()
	result := &Result{Steps: r.start}
	inRow, lastLog, lastStep := 0, time.Now(), r.start
	finish := func(err error) (*Result, error) {
		result.Skipped, result.Data = r.skipped, r.loader.Report()
		return result, err
	}
	for step := r.start; step < r.total; step++ {
		batch, err := r.loader.Next(ctx)
		if ctx.Err() != nil {
			return finish(r.interrupt(step))
		}
		if err != nil {
			return finish(err)
		}
		rate := plan.rate(step)
		metrics, fine, err := r.stepper.Step(batch, step, rate)
		if err != nil {
			return finish(err)
		}
		if r.options.afterStep != nil {
			r.options.afterStep(step, metrics)
		}
		done := step + 1
		result.Steps = done
		if inRow++; fine {
			inRow, result.Loss = 0, metrics[metricLoss]
		} else {
			r.skipped++
			r.progress.say("step %d: loss %g, gradient norm %g: not finite, the step is skipped (%d in a row)", done, metrics[metricLoss], metrics[metricNorm], inRow)
			if inRow >= r.settings.Output.MaxSkipped {
				return finish(fmt.Errorf("%w: %d steps in a row up to step %d were not finite: lower optimizer.learning_rate, lengthen the warm-up, or continue from the last checkpoint with another seed",
					ErrDiverged, inRow, done))
			}
		}
		if done%r.settings.Output.LogEvery == 0 || done == r.total || done == r.start+1 {
			if fine {
				l := newLine(done, metrics, rate)
				now := time.Now()
				l.ImagesPerSecond = float64((done-lastStep)*r.settings.Batch) / max(now.Sub(lastLog).Seconds(), 1e-9)
				l.Skipped, l.Seconds = r.skipped, r.seconds()
				lastLog, lastStep = now, done
				if err := r.write(l); err != nil {
					return finish(err)
				}
				perStep := now.Sub(r.began) / time.Duration(done-r.start)
				r.progress.show(l, perStep*time.Duration(r.total-done))
			}
		}
		if every := r.settings.Output.CheckpointEvery; every > 0 && done%every == 0 && done < r.total {
			if err := r.checkpoint(ctx, done); err != nil {
				return finish(err)
			}
		}
	}
	final, err := r.finish(ctx)
	result.Final = final
	return finish(err)
}

func (r *run) write(l line) error {
	data, err := json.Marshal(l)
	if err == nil {
		_, err = r.log.Write(append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

// interrupt writes a checkpoint after the context has ended.
func (r *run) interrupt(step int) error {
	if step != r.saved {
		if err := r.saveCheckpoint(step); err != nil {
			return errors.Join(ErrInterrupted, err)
		}
	}
	return fmt.Errorf("%w after step %d of %d: continue with --resume", ErrInterrupted, step, r.total)
}

func (r *run) checkpoint(ctx context.Context, step int) error {
	if err := r.saveCheckpoint(step); err != nil {
		return err
	}
	if r.options.AfterCheckpoint == nil {
		return nil
	}
	return r.options.AfterCheckpoint(ctx, filepath.Join(r.options.Output, checkpointsDir, fmt.Sprint(step)), step)
}

// finish writes the last checkpoint and the final model.
func (r *run) finish(ctx context.Context) (string, error) {
	if r.saved != r.total {
		if err := r.saveCheckpoint(r.total); err != nil {
			return "", err
		}
	}
	m, err := r.model()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(r.options.Output, finalDir)
	if err := weights.Save(dir, m, weights.SaveOptions{Half: r.settings.Output.Half}); err != nil {
		return "", fmt.Errorf("final model: %w", err)
	}
	if r.options.AfterCheckpoint != nil {
		return dir, r.options.AfterCheckpoint(ctx, dir, r.total)
	}
	return dir, nil
}

// model is the model as it stands.
func (r *run) model() (*weights.Model, error) {
	tensors, err := r.stepper.Weights()
	if err != nil {
		return nil, err
	}
	m := &weights.Model{
		Config: r.settings.Model, Tensors: tensors, TokenizerFiles: r.tokenizer,
		Mean: r.settings.Data.Mean, Std: r.settings.Data.Std, Extra: map[string][]byte{},
	}
	use, err := r.settings.evalFile()
	if use != nil {
		m.Extra[EvalFile] = use
	}
	return m, err
}

func (r *run) seconds() float64 { return r.before + time.Since(r.began).Seconds() }
