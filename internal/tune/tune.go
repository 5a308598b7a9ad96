package tune

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/hub"
	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/weights"
)

var (
	// ErrOptions is wrapped by errors about [Options].
	ErrOptions = errors.New("bad tuning options")
	// ErrModel is wrapped by errors about a model that cannot be tuned.
	ErrModel = errors.New("model cannot be tuned")
	// ErrOutput is wrapped by errors about a folder that another run wrote into.
	ErrOutput = errors.New("the folder holds something else")
)

// Options say what to tune on what.
type Options struct {
	// Model is the one to start from, as groupvit.Open takes it; Compute says what
	// computes.
	Model   string
	Compute groupvit.Options
	// Masks are the photos with masks.
	Masks masks.Options
	// Captions are further photos with captions, as pairs.Expand reads them; "" is
	// none. Table says how tables are read.
	Captions string
	Table    pairs.TableOptions
	// HoldOut is the share of the photos with masks that is set aside to measure on,
	// 0 to 1; 0 measures nothing.
	HoldOut float64
	// Steps and Batch are the training's; 0 is the default.
	Steps, Batch int
	Seed         uint64
	// Half writes the model in half precision.
	Half bool
	// Overrides stand above all other settings of the training.
	Overrides []settings.Override
	// Output is the folder; Resume continues what an earlier run in it began.
	Output string
	Resume bool
	// Progress gets progress and warnings; nil is os.Stderr. Skip, if set, is told
	// which photos are left out.
	Progress io.Writer
	Skip     func(pairs.Problem)
}

// Measurement is what the photos set aside show of a model, in percent.
type Measurement struct {
	MIoU          float64            `json:"mIoU"`
	PixelAccuracy float64            `json:"pixel_accuracy"`
	PerClass      map[string]float64 `json:"per_class"`
}

// Result says what a run has brought.
type Result struct {
	// Final is the model's directory.
	Final string `json:"final"`
	// Gained is whether it is another than the one that the run started from; it is
	// always so where nothing is measured.
	Gained bool `json:"gained"`
	// Learn and HeldOut count the photos with masks, Captioned the others.
	Learn     int `json:"learn"`
	HeldOut   int `json:"held_out"`
	Captioned int `json:"captioned"`
	// Skipped counts photos with masks that cannot be used, by reason.
	Skipped map[string]int `json:"skipped,omitempty"`
	// Before and After are the first model and the best of the run; nil where
	// nothing is measured.
	Before *Measurement `json:"before,omitempty"`
	After  *Measurement `json:"after,omitempty"`
	// Step is the step of the best model, of Steps.
	Step  int `json:"step"`
	Steps int `json:"steps"`
}

// tuning is a run on its way.
type tuning struct {
	Options
	record record
	model  *weights.Model // that it starts from
	usage  modelfile.Eval
	words  []nouns.Word
}

func (o *Options) defaults() error {
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	if o.Steps == 0 {
		o.Steps = DefaultSteps
	}
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	switch {
	case o.Output == "":
		return fmt.Errorf("%w: no output directory", ErrOptions)
	case o.Masks.Path == "":
		return fmt.Errorf("%w: no photos with masks: name a folder with --masks", ErrOptions)
	case !(o.HoldOut >= 0 && o.HoldOut < 1):
		return fmt.Errorf("%w: hold-out %g: it must be a share in [0, 1)", ErrOptions, o.HoldOut)
	case o.Steps < 0 || o.Batch < 2:
		return fmt.Errorf("%w: %d steps of %d photos: at least 1 step, and 2 photos", ErrOptions, o.Steps, o.Batch)
	}
	return nil
}

// Run tunes a model: see the package's comment for what it writes. A run that was
// stopped anywhere goes on there with the same bits. The model that comes out is the
// one of the run's measurements that finds most in the photos set aside; if that is not
// better than the one that it started from, this is what comes out, and Gained is false.
//
// Errors wrap [ErrOptions], [ErrModel], [ErrOutput], masks.ErrSource, or are those of
// package train.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	t := &tuning{Options: o}
	if err := t.open(); err != nil {
		return nil, err
	}
	found := data{}
	t.Masks.Scratch, t.Masks.Skip = "", func(p pairs.Problem) { t.skip(&found, p) }
	set, err := masks.Open(ctx, t.Masks)
	if err != nil {
		return nil, err
	}
	defer func() { _ = set.Close() }() // of a temporary folder
	for _, note := range set.Notes {
		t.say("%s", note)
	}
	sum, err := fingerprint(set)
	if err != nil {
		return nil, err
	}
	fresh := record{
		Format: recordFormat, Model: t.model.SHA256, Masks: sum, Captions: t.Captions, HoldOut: t.HoldOut, Seed: t.Seed,
		Steps: t.Steps, Batch: t.Batch, Settings: given(t.Overrides),
	}
	if err := t.prepare(fresh); err != nil {
		return nil, err
	}
	if t.record.Result != nil {
		t.say("%s is done", t.Output)
		return t.record.Result, nil
	}
	words, of, err := vocabulary(modelWords(t.usage), set.Classes)
	if err != nil {
		return nil, fmt.Errorf("%w: its words: %w", ErrModel, err)
	}
	t.words = words
	if err := t.begin(ctx, set, of, found); err != nil {
		return nil, err
	}
	return t.learn(ctx)
}

func (t *tuning) say(format string, args ...any) { fmt.Fprintf(t.Progress, format+"\n", args...) }

// open reads the model to start from.
func (t *tuning) open() (err error) {
	if t.Model == "" || t.Model == groupvit.DefaultModel {
		files, err := groupvit.DefaultFiles()
		if err != nil {
			return err
		}
		if t.model, err = weights.OpenFS(files, "."); err != nil {
			return fmt.Errorf("%w: %w", ErrModel, err)
		}
	} else {
		dir, err := hub.Locate(t.Model)
		if err == nil {
			t.model, err = weights.Open(dir)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrModel, t.Model, err)
		}
	}
	if b, ok := t.model.Extra[modelfile.EvalName]; ok {
		if t.usage, err = modelfile.ReadEval(b); err != nil {
			return fmt.Errorf("%w: %w", ErrModel, err)
		}
	}
	return nil
}

// given are overrides in one text.
func given(overrides []settings.Override) string {
	var list []string
	for _, o := range overrides {
		list = append(list, o.Key+"="+o.Value)
	}
	return strings.Join(list, " ")
}

// begin does what comes before the training: the photos set aside, the first model
// and its measurement.
func (t *tuning) begin(ctx context.Context, set *masks.Set, of []string, found data) error {
	if t.record.Data == nil {
		if err := os.RemoveAll(filepath.Join(t.Output, dataDir)); err != nil { // without its record
			return fmt.Errorf("output: %w", err)
		}
		d, err := t.writeData(ctx, set, of)
		if err != nil {
			return err
		}
		for reason, n := range found.Skipped {
			if d.Skipped == nil {
				d.Skipped = map[string]int{}
			}
			d.Skipped[reason] += n
		}
		t.record.Data = &d
		if err := t.save(); err != nil {
			return err
		}
	}
	d := t.record.Data
	if len(d.Unlearnt) > 0 {
		t.say("no photo to learn from shows %s", strings.Join(d.Unlearnt, ", "))
	}
	if _, err := os.Stat(filepath.Join(t.Output, startDir)); err != nil {
		if err := weights.Save(filepath.Join(t.Output, startDir), t.model, weights.SaveOptions{}); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	if d.HeldOut == 0 {
		t.say("learning from %s; none is set aside, so that nobody measures what it brings", photos(d.Learn))
		return nil
	}
	t.say("learning from %s, measuring on %d others that are set aside (%s)", photos(d.Learn), d.HeldOut, filepath.Join(t.Output, dataDir, heldOutDir))
	if t.record.Before == nil {
		before, err := t.measure(ctx, filepath.Join(t.Output, startDir))
		if err != nil {
			return fmt.Errorf("measure the first model: %w", err)
		}
		t.record.Before = before
		if err := t.save(); err != nil {
			return err
		}
	}
	t.say("before: mIoU %.2f, pixel accuracy %.2f %%", t.record.Before.MIoU, t.record.Before.PixelAccuracy)
	return nil
}

// photos is a number of photos.
func photos(n int) string {
	if n == 1 {
		return "1 photo"
	}
	return fmt.Sprintf("%d photos", n)
}

// measure measures a model on the photos set aside as "eval segmentation" does.
func (t *tuning) measure(ctx context.Context, dir string) (*Measurement, error) {
	d, err := bench.Open("folder", filepath.Join(t.Output, dataDir, heldOutDir), bench.Options{})
	if err != nil {
		return nil, err
	}
	m, err := groupvit.Open(ctx, dir, &groupvit.Options{Engine: t.Compute.Engine, Threads: t.Compute.Threads})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	p, err := evaluate.NewModelPredictor(m, d, groupvit.SegmentOptions{}, t.Compute.Threads)
	if err != nil {
		return nil, err
	}
	report, err := evaluate.Segmentation(ctx, d, p, evaluate.Options{})
	if err != nil {
		return nil, err
	}
	out := &Measurement{PerClass: map[string]float64{}}
	for name, v := range report.PerClass {
		if v != nil {
			out.PerClass[name] = *v
		}
	}
	if report.MIoU != nil {
		out.MIoU = *report.MIoU
	}
	if report.PixelAccuracy != nil {
		out.PixelAccuracy = *report.PixelAccuracy
	}
	return out, nil
}
