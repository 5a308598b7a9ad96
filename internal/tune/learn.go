package tune

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/weights"
)

// learn trains, and decides which model comes out.
func (t *tuning) learn(ctx context.Context) (*Result, error) {
	s, err := settingsFor(t.model, t.usage, t.words, t.Options)
	if err != nil {
		return nil, err
	}
	d := t.record.Data
	result := &Result{Learn: d.Learn, HeldOut: d.HeldOut, Skipped: d.Skipped, Before: t.record.Before}
	if result.Captioned, err = t.sources(ctx, &s, d.Learn); err != nil {
		return nil, err
	}
	if d.HeldOut > 0 {
		s.Measure.Dataset, s.Measure.Root, s.Output.KeepBest = "folder", filepath.Join(t.Output, dataDir, heldOutDir), true
	}
	loaded, err := settings.FromSettings(s, "tune", t.Overrides)
	if err != nil {
		return nil, err
	}
	run := filepath.Join(t.Output, runDir)
	trained, err := train.Run(ctx, train.Options{Loaded: loaded, Output: run, Resume: t.Resume, Progress: t.Progress})
	if err != nil {
		return nil, err
	}
	result.Step, result.Steps = trained.Steps, trained.Steps
	best := trained.Final
	if trained.Best != nil {
		best, result.Step = trained.Best.Dir, trained.Best.Step
	}
	if err := t.decide(ctx, best, result); err != nil {
		return nil, err
	}
	t.record.Result = result
	return result, t.save()
}

// sources names what is learnt from. Where there are photos with captions, they make
// half of what a step sees, and photos with masks the other half.
func (t *tuning) sources(ctx context.Context, s *settings.Settings, learn int) (captioned int, err error) {
	s.Data.Train = filepath.Join(t.Output, dataDir, learnDir)
	if t.Captions == "" {
		return 0, nil
	}
	s.Data.CSVImgKey, s.Data.CSVCaptionKey, s.Data.CSVSeparator = t.Table.Image, t.Table.Caption, t.Table.Separator
	x, err := pairs.OpenIndexWith(ctx, t.Captions, t.Table)
	if err != nil {
		return 0, err
	}
	for _, p := range x.Problems() {
		if t.Skip != nil {
			t.Skip(p)
		}
	}
	s.Data.Train += "::" + t.Captions
	s.Data.UpsamplingFactors = []float64{max(1, float64(x.Len())/float64(learn))}
	for range strings.Split(t.Captions, "::") {
		s.Data.UpsamplingFactors = append(s.Data.UpsamplingFactors, 1)
	}
	return x.Len(), nil
}

// decide measures the best model of the run, and publishes it, or the first one where
// nothing was gained.
func (t *tuning) decide(ctx context.Context, best string, result *Result) error {
	result.Final, result.Gained = filepath.Join(t.Output, finalDir), true
	m, err := weights.Open(best)
	if err != nil {
		return err
	}
	use, err := t.evalFile()
	if err != nil {
		return err
	}
	if delete(m.Extra, modelfile.EvalName); use != nil {
		m.Extra[modelfile.EvalName] = use
	}
	if err := weights.Save(result.Final, m, weights.SaveOptions{Half: t.Half}); err != nil {
		return err
	}
	if result.Before == nil {
		t.say("the model was not measured: %s", result.Final)
		return nil
	}
	if result.After, err = t.measure(ctx, result.Final); err != nil {
		return fmt.Errorf("measure the tuned model: %w", err)
	}
	before, after := result.Before.MIoU, result.After.MIoU
	t.say("after:  mIoU %.2f, pixel accuracy %.2f %% (step %d of %d)", after, result.After.PixelAccuracy, result.Step, result.Steps)
	if after > before {
		return nil
	}
	result.Gained = false
	t.say("nothing was gained on the %s set aside: %s is the model that the run started from; label more photos, or train longer (--steps)", photos(result.HeldOut), result.Final)
	if err := os.RemoveAll(result.Final); err != nil {
		return err
	}
	return weights.Save(result.Final, t.model, weights.SaveOptions{Half: t.Half})
}

// evalFile is the first model's eval.json with the words that it has learnt: its
// prompts and its background vocabulary stay. nil where it had none.
func (t *tuning) evalFile() ([]byte, error) {
	e := t.usage
	if len(e.Words) == 0 {
		return t.model.Extra[modelfile.EvalName], nil
	}
	e.Words = nil
	for _, w := range t.words {
		e.Words = append(e.Words, append([]string{w.Name}, w.Synonyms...))
	}
	if _, err := nouns.List(t.words); err != nil {
		return nil, err
	}
	return e.Encode()
}
