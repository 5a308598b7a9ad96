package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/weights"
)

// Best is the model of a run with the highest score.
type Best struct {
	Step int     `json:"step"`
	MIoU float64 `json:"mIoU"`
	// Naming is the mean of both measures of naming, where it is measured.
	Naming *float64 `json:"naming,omitempty"`
	// Score is what decides; see score.
	Score float64 `json:"score,omitempty"`
	// Dir is where it lies.
	Dir string `json:"dir"`
}

// String is what it was chosen by: "mIoU 31.20, naming 44.10".
func (b Best) String() string {
	var parts []string
	if b.Naming == nil || b.MIoU > 0 {
		parts = append(parts, fmt.Sprintf("mIoU %.2f", b.MIoU))
	}
	if b.Naming != nil {
		parts = append(parts, fmt.Sprintf("naming %.2f", *b.Naming))
	}
	return strings.Join(parts, ", ")
}

// measuring is what a run is measured with. What a recipe does not name is nil.
type measuring struct {
	pairs   *pairs.Index
	dataset *bench.Dataset
	options groupvit.SegmentOptions
	// last is the step of the last measurement.
	last int
}

// openMeasuring finds what to measure with, before any training.
func (r *run) openMeasuring(ctx context.Context) error {
	m := r.settings.Measure
	wanted := &measuring{options: groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: m.ShortSide}}, last: -1}
	var err error
	if wanted.options.Protocol, err = groupvit.ParseProtocol(m.Protocol); err != nil {
		return fmt.Errorf("%w: measure: %w", settings.ErrSettings, err)
	}
	if m.Data != "" {
		if wanted.pairs, err = pairs.OpenIndex(ctx, m.Data); err != nil {
			return fmt.Errorf("measure.data: %w", err)
		}
		if n := len(wanted.pairs.Problems()); n > 0 {
			r.progress.say("measure.data: %d of %d samples cannot be used, as %s", n, n+wanted.pairs.Len(), wanted.pairs.Problems()[0])
		}
		if left := wanted.pairs.LeftOut().String(); left != "" {
			r.progress.say("measure.data: %s", left)
		}
	}
	if m.Root != "" {
		wanted.dataset, err = bench.Open(m.Dataset, m.Root, bench.Options{Classes: m.Classes, Split: m.Split, Limit: m.Limit})
		if errors.Is(err, bench.ErrUsage) {
			return fmt.Errorf("%w: measure: %w", settings.ErrSettings, err)
		}
		if err != nil {
			return fmt.Errorf("measure.root: %w", err)
		}
		if left := wanted.dataset.Skipped(); left != "" {
			r.progress.say("measure.root: %s", left)
		}
	}
	if m.Data != "" || m.Root != "" || m.Pictures > 0 || m.HoldOut > 0 {
		r.measuring = wanted
	}
	return nil
}

// measure measures the model as it stands after a step. What goes wrong is told
// and costs the measurement, not the run; the end of ctx leaves it to the run's
// continuation.
func (r *run) measure(ctx context.Context, step int) error {
	values, err := r.measured(ctx, step)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		r.progress.say("step %d: not measured: %v", step, err)
	case len(values) > 0:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(values)) {
			parts = append(parts, fmt.Sprintf("%s %.2f", name, values[name]))
		}
		r.progress.say("step %d: %s", step, strings.Join(parts, ", "))
		r.result.Measured = values
		if err := r.log.measure(step, values); err != nil {
			return err
		}
	}
	r.measuring.last = step
	return nil
}

// measured opens the model just as its user would, so that what is measured is
// what one gets, and returns numbers by name.
func (r *run) measured(ctx context.Context, step int) (map[string]float64, error) {
	saved, err := r.model()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(r.options.Output, ".measure.tmp-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	dir := filepath.Join(folder, "model")
	if err := weights.Save(dir, saved, weights.SaveOptions{}); err != nil {
		return nil, err
	}
	m, err := groupvit.Open(ctx, dir, &groupvit.Options{Engine: r.settings.Engine, Threads: r.settings.Threads, Precision: engine.Float32})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	values := map[string]float64{}
	if err := r.measureRetrieval(ctx, m, values); err != nil {
		return nil, fmt.Errorf("retrieval: %w", err)
	}
	if err := r.measureNaming(ctx, m, values); err != nil {
		return nil, fmt.Errorf("naming: %w", err)
	}
	if err := r.measureSegmentation(ctx, m, values); err != nil {
		return nil, fmt.Errorf("segmentation: %w", err)
	}
	if err := r.keepBest(saved, step, values); err != nil {
		return nil, err
	}
	if err := r.drawPictures(ctx, m, step); err != nil {
		return values, fmt.Errorf("pictures: %w", err)
	}
	return values, nil
}

func (r *run) measureRetrieval(ctx context.Context, m *groupvit.Model, values map[string]float64) error {
	if r.measuring.pairs == nil {
		return nil
	}
	found, err := evaluate.MeasureRetrieval(ctx, r.measuring.pairs, m, evaluate.RetrievalOptions{Limit: r.settings.Measure.Limit})
	if err != nil {
		return err
	}
	for name, recall := range map[string]evaluate.Recall{"image_to_text": found.FirstCaption.ImageToText, "text_to_image": found.FirstCaption.TextToImage} {
		values[name+"_R@1"], values[name+"_R@5"], values[name+"_R@10"] = recall.At1, recall.At5, recall.At10
	}
	return nil
}

// measureNaming measures how well the model names the photos that are set aside.
func (r *run) measureNaming(ctx context.Context, m *groupvit.Model, values map[string]float64) error {
	x := r.loader.HeldOut()
	if x == nil {
		return nil
	}
	words, err := r.settings.Words()
	if err != nil {
		return err
	}
	var names []string
	for _, w := range words {
		names = append(names, w.Name)
	}
	found, err := evaluate.MeasureNaming(ctx, x, m, evaluate.NamingOptions{Words: names, Named: r.loader.Named, Limit: r.settings.Measure.Limit})
	if err != nil {
		return err
	}
	values[namingTop1] = found.Top1
	if found.AP != nil {
		values[namingAP] = *found.AP
	}
	return nil
}

// measureSegmentation measures mIoU.
func (r *run) measureSegmentation(ctx context.Context, m *groupvit.Model, values map[string]float64) error {
	d := r.measuring.dataset
	if d == nil {
		return nil
	}
	p, err := evaluate.NewModelPredictor(m, d, r.measuring.options, r.settings.Threads)
	if err != nil {
		return err
	}
	report, err := evaluate.Segmentation(ctx, d, p, evaluate.Options{})
	if err != nil {
		return err
	}
	for name, v := range map[string]*float64{"mIoU": report.MIoU, "pixel_accuracy": report.PixelAccuracy} {
		if v != nil {
			values[name] = *v
		}
	}
	return nil
}

// Names of the measures of naming.
const (
	namingTop1 = "naming_top1"
	namingAP   = "naming_mAP"
)

// score is what the best model is chosen by: mIoU, or naming (the mean of naming_top1
// and naming_mAP), or the mean of both where both are measured.
func score(values map[string]float64) (total float64, naming *float64, ok bool) {
	mean := func(names ...string) (float64, bool) {
		sum, n := 0.0, 0
		for _, name := range names {
			if v, ok := values[name]; ok {
				sum, n = sum+v, n+1
			}
		}
		return sum / float64(max(n, 1)), n > 0
	}
	total, ok = mean("mIoU")
	if v, named := mean(namingTop1, namingAP); named {
		naming = &v
		if total = (total + v) / 2; !ok {
			total, ok = v, true
		}
	}
	return total, naming, ok
}

// keepBest keeps the model if it is the best and that is asked for.
func (r *run) keepBest(saved *weights.Model, step int, values map[string]float64) error {
	total, naming, ok := score(values)
	if !r.settings.Output.KeepBest || !ok || total <= r.bestSoFar() {
		return nil
	}
	dir := filepath.Join(r.options.Output, bestDir)
	if err := weights.Save(dir, saved, weights.SaveOptions{Half: r.settings.Output.Half}); err != nil {
		return fmt.Errorf("best model: %w", err)
	}
	r.result.Best = &Best{Step: step, MIoU: values["mIoU"], Naming: naming, Score: total, Dir: dir}
	return nil
}
