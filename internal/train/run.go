package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gomlx/compute"
	"golang.org/x/term"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
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
	Loaded *settings.Loaded
	// Output is the run's directory.
	Output string
	// Resume continues from the newest whole checkpoint in Output; without one
	// the run starts anew. Without Resume, an Output that holds a run is an
	// error.
	Resume bool
	// Progress gets progress and warnings; nil is os.Stderr. A bar is drawn only
	// on a terminal.
	Progress io.Writer
	// beforeStep lets tests spoil a batch, afterStep look at every step.
	beforeStep func(step int, b *pairs.Batch)
	afterStep  func(step int, metrics map[string]float64)
}

// Result says how a run went.
type Result struct {
	// Steps is the number of steps done in all, Skipped that of broken ones among
	// them, RollBacks how often the run went back to a good state.
	Steps, Skipped, RollBacks int
	// Loss is the last step's.
	Loss float64
	// Final is the directory of the final model, "" if the run did not end.
	Final string
	// Best is the model with the highest mIoU, where it is kept.
	Best *Best
	// Measured are the last measurements by name, nil without any.
	Measured map[string]float64
	// Data says what the loader met.
	Data pairs.Report
}

// run is the state of one call of Run.
type run struct {
	options   Options
	settings  settings.Settings
	values    map[string]any
	backend   compute.Backend
	loader    *pairs.Loader
	stepper   *stepper.Stepper
	tokenizer map[string][]byte
	guard     *guard
	monitor   *monitor
	measuring *measuring            // nil where nothing is measured
	words     *modelfile.WordCounts // nil where earlier training is not known; see count
	total     int
	start     int // steps done before this call
	saved     int // step of the newest checkpoint, -1 for none
	good      int // step of the checkpoint to go back to, -1 for the beginning
	began     time.Time
	before    float64 // seconds spent in earlier calls
	log       *logs
	progress  *progress
	result    Result
}

// Run trains: it writes Output/log.jsonl (one object a logged step),
// Output/checkpoints/STEP (model, optimizer, position in the data) and, at the
// end, Output/final (a model directory); see docs/training.md for the rest.
//
// When ctx ends, it finishes the step, writes a checkpoint and returns an error
// that wraps [ErrInterrupted]. Other errors wrap [ErrSettings], [ErrResume],
// [ErrDiverged], pairs' errors, or are the file system's; whatever happens, the
// checkpoints that were whole stay whole.
func Run(ctx context.Context, o Options) (*Result, error) {
	r := &run{options: o, settings: o.Loaded.Settings, saved: -1, good: -1, values: map[string]any{}}
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
	r.guard, r.monitor = newGuard(r.settings.Safety, r.settings.Batch), newMonitor(r.settings)
	if err := r.prepareOutput(); err != nil {
		return nil, err
	}
	if err := r.openMeasuring(ctx); err != nil {
		return nil, err
	}
	if err := r.openData(ctx); err != nil {
		return nil, err
	}
	defer r.loader.Close()
	var err error
	r.backend, err = engine.New(engine.Options{Kind: r.settings.Engine, Threads: r.settings.Threads, Precision: r.settings.Precision, Training: true})
	if err != nil {
		return nil, err
	}
	defer r.backend.Finalize()
	defer func() {
		if r.stepper != nil {
			r.stepper.Close()
		}
	}()
	if err := r.begin(); err != nil {
		return nil, err
	}
	if err := r.writeRecipe(); err != nil {
		return nil, err
	}
	if r.log, err = openLogs(o.Output, r.start); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer r.log.close()
	err = r.loop(ctx)
	if e := r.drawCurves(); e != nil {
		r.progress.say("%s is not drawn: %v", curvesFile, e)
	}
	r.result.Skipped, r.result.RollBacks = r.guard.state.Skipped, r.guard.state.RollBacks
	r.result.Data = r.loader.Report()
	return &r.result, err
}

func (r *run) loop(ctx context.Context) error {
	to := r.options.Progress
	f, isFile := to.(*os.File)
	r.progress = newProgress(to, isFile && term.IsTerminal(int(f.Fd())), r.total, r.start)
	defer r.progress.end()
	plan := r.settings.Plan(r.total, r.settings.StepsPerEpoch(r.loader.StepsPerPass()))
	r.began = time.Now()
	r.result.Steps = r.start
	if every := r.settings.Measure.Every; r.measuring != nil && every > 0 && r.start > 0 && r.start%every == 0 && r.start < r.total && r.measuring.last < r.start {
		if err := r.measure(ctx, r.start); err != nil { // what an interrupted run has left
			return err
		}
	}
	clock := newClock(r.start, r.settings.Batch)
	feeder := feed(ctx, r.loader, r.stepper.Upload, r.start, r.options.beforeStep)
	defer feeder.stop()
	for step := r.start; step < r.total; step++ {
		if ctx.Err() != nil {
			return r.interrupt(step)
		}
		done, rate := step+1, plan.Rate(step)
		r.stepper.Limit = r.guard.limit()
		batch, metrics, fine, err := r.stepper.StepFrom(feeder.next, step, rate)
		if data := (dataError{}); errors.As(err, &data) {
			if ctx.Err() != nil {
				return r.interrupt(step)
			}
			return r.dataFailed(step, data.error)
		}
		if err != nil {
			return err
		}
		r.count(batch)
		if r.options.afterStep != nil {
			r.options.afterStep(step, metrics)
		}
		r.result.Steps = done
		if !fine {
			if err := r.broken(done, metrics); err != nil {
				return err
			}
			continue
		}
		if c := chance(batch); c > 0 && r.settings.Loss.Kind == settings.LossSoftmax {
			metrics[metricChance] = c
		}
		if err := r.finished(ctx, done, metrics, rate, clock); err != nil {
			return err
		}
	}
	return r.finish(ctx)
}

// finished does what follows a good step: log, checkpoint, measurement.
func (r *run) finished(ctx context.Context, done int, metrics map[string]float64, rate float64, clock *clock) error {
	r.guard.good(metrics[stepper.MetricLoss])
	r.result.Loss = metrics[stepper.MetricLoss]
	for _, news := range r.monitor.add(metrics) {
		r.progress.say("step %d: %s", done, news)
	}
	if done%r.settings.Output.LogEvery == 0 || done == r.total || done == r.start+1 {
		l := newLine(done, metrics, rate)
		l.ImagesPerSecond = clock.lap(done)
		l.Skipped, l.RollBacks, l.Collapse, l.Seconds = r.guard.state.Skipped, r.guard.state.RollBacks, r.monitor.shown(), r.seconds()
		if err := r.log.step(l); err != nil {
			return err
		}
		r.progress.show(l, time.Since(r.began)/time.Duration(done-r.start)*time.Duration(r.total-done))
	}
	defer clock.pause()()
	if every := r.settings.Measure.Every; r.measuring != nil && every > 0 && done%every == 0 && done < r.total {
		if err := r.measure(ctx, done); err != nil {
			return err
		}
	}
	every := r.settings.Output.CheckpointEvery
	if every > 0 && (done%every == 0 || r.guard.state.Due) && done < r.total {
		r.guard.state.Due = false
		if err := r.saveCheckpoint(done, true); err != nil {
			return err
		}
	}
	return nil
}

// interrupt writes a checkpoint after the context has ended.
func (r *run) interrupt(step int) error {
	if step != r.saved {
		if err := r.saveCheckpoint(step, false); err != nil {
			return errors.Join(ErrInterrupted, err)
		}
	}
	return fmt.Errorf("%w after step %d of %d: continue with --resume", ErrInterrupted, step, r.total)
}

// finish measures, and writes the last checkpoint and the final model.
func (r *run) finish(ctx context.Context) error {
	if r.saved != r.total {
		if err := r.saveCheckpoint(r.total, false); err != nil {
			return err
		}
	}
	m, err := r.model()
	if err != nil {
		return err
	}
	dir := settings.Final(r.options.Output)
	if err := weights.Save(dir, m, weights.SaveOptions{Half: r.settings.Output.Half}); err != nil {
		return fmt.Errorf("final model: %w", err)
	}
	r.result.Final = dir
	if r.measuring != nil && r.measuring.last < r.total {
		if err := r.measure(ctx, r.total); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %s is whole and not measured: continue with --resume", ErrInterrupted, dir)
		}
		return r.saveMeasured()
	}
	return nil
}

// saveMeasured writes the last checkpoint again where it does not know of the
// last measurement.
func (r *run) saveMeasured() error {
	if !r.settings.Output.KeepBest {
		return nil
	}
	return r.saveCheckpoint(r.total, false)
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
	use, err := r.settings.EvalFile()
	if use != nil {
		m.Extra[modelfile.EvalName] = use
	}
	if err == nil {
		err = r.addWords(m.Extra)
	}
	return m, err
}

func (r *run) seconds() float64 { return r.before + time.Since(r.began).Seconds() }
