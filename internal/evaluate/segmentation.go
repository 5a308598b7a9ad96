package evaluate

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/groupvit/groupvit/internal/bench"
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
	// Thresholds is the grid; nil is 0 to 0.95 in steps of 0.05, finer below 0.1.
	Thresholds []float64
	// PerImage keeps the areas of each photo, for comparing two reports.
	PerImage bool
	// Progress, if set, is called from one goroutine at a time with the number
	// of photos done.
	Progress func(done int)
}

// Source is a dataset as the measuring needs it; *[bench.Dataset] is one.
type Source interface {
	// Load reads photo number i and its truth, of the same size.
	Load(i int) (image.Image, *bench.Truth, error)
}

// counts is what one worker collects: a confusion matrix for each threshold
// and each half of the photos.
type counts [2][]*Confusion

// Segmentation measures a predictor on a dataset. The first photo that fails
// ends it with an error that names the photo.
func Segmentation(ctx context.Context, d *bench.Dataset, p Predictor, o Options) (*Report, error) {
	return segmentation(ctx, d, d, p, o)
}

func segmentation(ctx context.Context, d *bench.Dataset, source Source, p Predictor, o Options) (*Report, error) {
	thresholds := []float64{math.NaN()}
	if o.SplitThreshold {
		if d.Background < 0 {
			return nil, fmt.Errorf("%w: a background threshold needs a background class, and the classes measured on %s have none", ErrOptions, d.Name)
		}
		if thresholds = o.Thresholds; thresholds == nil {
			thresholds = defaultThresholds()
		}
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(d.Samples))
	run := &run{dataset: d, source: source, predictor: p, options: o, thresholds: thresholds, images: make([]ImageResult, len(d.Samples))}
	start := time.Now()
	if err := run.all(ctx, workers); err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	r := newReport(d, p.About())
	r.Images = len(d.Samples)
	r.ImagesPerSecond = round(float64(r.Images)/seconds, 3)
	r.Seconds = round(seconds, 3)
	if o.SplitThreshold {
		r.chooseThresholds(run.total, thresholds)
	} else {
		all := NewConfusion(len(d.Classes))
		all.Merge(run.total[0][0])
		all.Merge(run.total[1][0])
		r.fill(all)
	}
	r.Baseline = baseline(d, run.total)
	if o.PerImage && !o.SplitThreshold {
		r.PerImage = run.images
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
	dataset    *bench.Dataset
	source     Source
	predictor  Predictor
	options    Options
	thresholds []float64

	mutex  sync.Mutex
	total  counts
	done   int
	images []ImageResult
}

func (r *run) newCounts() counts {
	var c counts
	for half := range c {
		for range r.thresholds {
			c[half] = append(c[half], NewConfusion(len(r.dataset.Classes)))
		}
	}
	return c
}

// all works through the photos on several goroutines. What is counted does not
// depend on their number.
func (r *run) all(ctx context.Context, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.total = r.newCounts()
	queue := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			mine := r.newCounts()
			for i := range queue {
				if err := r.one(ctx, i, mine); err != nil {
					cancel(fmt.Errorf("photo %s: %w", r.dataset.Samples[i].ID, err))
					return
				}
			}
			r.mutex.Lock()
			defer r.mutex.Unlock()
			for half := range mine {
				for t, c := range mine[half] {
					r.total[half][t].Merge(c)
				}
			}
		})
	}
	for i := range r.dataset.Samples {
		select {
		case queue <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	group.Wait()
	return context.Cause(ctx)
}

// one measures photo i.
func (r *run) one(ctx context.Context, i int, mine counts) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	photo, truth, err := r.source.Load(i)
	if err != nil {
		return err
	}
	maps, err := r.predictor.Predict(ctx, photo, r.thresholds)
	if err != nil {
		return err
	}
	if len(maps) != len(r.thresholds) {
		return fmt.Errorf("%d maps for %d thresholds", len(maps), len(r.thresholds))
	}
	for t, m := range maps {
		if err := mine[i%2][t].Add(truth.Labels, m); err != nil {
			return err
		}
	}
	result := ImageResult{ID: r.dataset.Samples[i].ID}
	if r.options.PerImage {
		c := NewConfusion(len(r.dataset.Classes))
		if err := c.Add(truth.Labels, maps[0]); err != nil {
			return err
		}
		for class, a := range c.Areas() {
			if a.Union() > 0 {
				result.Classes = append(result.Classes, [4]int64{int64(class), a.Intersection, a.Predicted, a.Truth})
			}
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.images[i] = result
	r.done++
	if r.options.Progress != nil {
		r.options.Progress(r.done)
	}
	return nil
}
