package evaluate

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"sync"
	"time"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/parallel"
)

// ErrOptions is wrapped by errors about [Options] that cannot be followed.
var ErrOptions = errors.New("bad options of a measurement")

// Options say how to measure.
type Options struct {
	// Workers is how many photos are worked on at once; 0 is one a processor.
	Workers int
	// SplitThreshold chooses the background threshold from Thresholds on the
	// photos with even numbers for those with odd numbers, and the other way
	// round, so that no photo is measured with a threshold that was chosen on
	// it.
	SplitThreshold bool
	// Sweep measures with each of Thresholds, beside the predictor's own rule.
	Sweep bool
	// Thresholds is the grid; nil is 0 to 0.95 in steps of 0.05, finer below 0.1.
	Thresholds []float64
	// Oracle gives the predictor a part of the truth.
	Oracle Oracle
	// Folder, if set, keeps what is done, so that a measurement which was broken
	// off goes on there, and the predicted maps.
	Folder string
	// Question says, for Folder, what else decides the numbers: the model, its
	// options. What is kept for another question is not gone on with.
	Question []string
	// Progress, if set, is called from one goroutine at a time with the number
	// of photos done.
	Progress func(done int)
}

// Source is a dataset as the measuring needs it; *[bench.Dataset] is one.
type Source interface {
	// Load reads photo number i and its truth, of the same size.
	Load(i int) (image.Image, *bench.Truth, error)
}

// Segmentation measures a predictor on a dataset. The first photo that fails
// ends it with an error that names the photo.
func Segmentation(ctx context.Context, d *bench.Dataset, p Predictor, o Options) (*Report, error) {
	return segmentation(ctx, d, d, p, o)
}

func segmentation(ctx context.Context, d *bench.Dataset, source Source, p Predictor, o Options) (*Report, error) {
	run, err := newRun(d, source, p, o)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	err = run.all(ctx)
	if closeErr := run.done.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	r := newReport(d, run.about())
	r.Oracle = o.Oracle
	r.Images = len(d.Samples)
	r.Seconds = round(seconds, 3)
	r.ImagesPerSecond = round(float64(run.measured)/seconds, 3)
	r.Resumed = len(d.Samples) - run.measured
	chosen := func(int) int { return 0 }
	if o.SplitThreshold {
		chosen = r.chooseThresholds(run.counts, run.thresholds)
	}
	for i, c := range run.counts {
		r.PerImage = append(r.PerImage, ImageResult{ID: c.ID, Classes: c.Maps[chosen(i)], Boundaries: c.Boundaries})
	}
	r.fill(d.Background, o.SplitThreshold)
	if o.Sweep {
		r.Sweep = r.grid(run.counts, run.thresholds, 1)
	}
	return r, nil
}

// defaultThresholds is 0 to 0.95 in steps of 0.05, and finer below 0.1: where
// many words compete, the best one's probability is small.
func defaultThresholds() []float64 {
	grid := []float64{0, 0.01, 0.02, 0.03, 0.05, 0.07}
	for i := 2; i < 20; i++ {
		grid = append(grid, float64(i)/20)
	}
	return grid
}

// run is one measurement under way.
type run struct {
	dataset   *bench.Dataset
	source    Source
	predictor Predictor
	options   Options
	// thresholds are those of the maps; the boundary is measured on the first.
	thresholds []float64
	done       *doneFile

	mutex    sync.Mutex
	counts   []imageCounts // by photo; without ID, not done yet
	finished int
	measured int // in this run
}

func newRun(d *bench.Dataset, source Source, p Predictor, o Options) (*run, error) {
	r := &run{dataset: d, source: source, predictor: p, options: o, thresholds: []float64{math.NaN()}}
	if err := o.Oracle.check(p); err != nil {
		return nil, err
	}
	if o.SplitThreshold || o.Sweep {
		if d.Background < 0 {
			return nil, fmt.Errorf("%w: a background threshold needs a background class, and the classes measured on %s have none", ErrOptions, d.Name)
		}
		grid := o.Thresholds
		if grid == nil {
			grid = defaultThresholds()
		}
		if o.SplitThreshold {
			r.thresholds = nil
		}
		r.thresholds = append(r.thresholds, grid...)
	}
	var err error
	r.done, r.counts, err = openDone(o.Folder, r.question(), d, len(r.thresholds))
	for _, c := range r.counts {
		if c.ID != "" {
			r.finished++
		}
	}
	return r, err
}

// about is what the predictor tells, now or, if all was done before, then.
func (r *run) about() About {
	if r.measured == 0 {
		for _, c := range r.counts {
			if c.About != nil {
				return *c.About
			}
		}
	}
	return r.predictor.About()
}

// all works through the photos on several goroutines. What is counted does not
// depend on their number.
func (r *run) all(ctx context.Context) error {
	var left []int
	for i := range r.counts {
		if r.counts[i].ID == "" {
			left = append(left, i)
		}
	}
	return parallel.For(ctx, len(left), r.options.Workers, func(ctx context.Context, i int) error {
		if err := r.one(ctx, left[i]); err != nil {
			return fmt.Errorf("photo %s: %w", r.dataset.Samples[left[i]].ID, err)
		}
		return nil
	})
}

// one measures photo i.
func (r *run) one(ctx context.Context, i int) error {
	photo, truth, err := r.source.Load(i)
	if err != nil {
		return err
	}
	maps, err := r.predict(ctx, photo, truth)
	if err != nil {
		return err
	}
	if len(maps) != len(r.thresholds) {
		return fmt.Errorf("%d maps for %d thresholds", len(maps), len(r.thresholds))
	}
	classes := len(r.dataset.Classes)
	counts := imageCounts{ID: r.dataset.Samples[i].ID}
	for _, m := range maps {
		c := NewConfusion(classes)
		if err := c.Add(truth.Labels, m); err != nil {
			return err
		}
		counts.Maps = append(counts.Maps, areasOf(c.Areas()))
	}
	if !r.options.SplitThreshold { // else no single map is the prediction
		counts.Boundaries = boundariesOf(Boundaries(truth.Labels, maps[0], truth.Width, classes, r.dataset.Background >= 0))
	}
	if err := r.done.keepMap(counts.ID, maps[0], truth.Width); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.measured == 0 {
		about := r.predictor.About()
		counts.About = &about
	}
	if err := r.done.add(counts); err != nil {
		return err
	}
	r.counts[i] = counts
	r.finished++
	r.measured++
	if r.options.Progress != nil {
		r.options.Progress(r.finished)
	}
	return nil
}
