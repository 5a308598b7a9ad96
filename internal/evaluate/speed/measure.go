package speed

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine"
)

// Options say how long to measure.
type Options struct {
	// Time is how long each job runs, at least MinRuns and at most MaxRuns runs
	// after one that does not count. 0 is 2 s, 3 and 1000 runs.
	Time             time.Duration
	MinRuns, MaxRuns int
	// Train makes jobs of training steps; without it there are none.
	Train Opener
	// Progress, if set, is told what happens.
	Progress func(what string)
}

func (o Options) withDefaults() Options {
	if o.Time <= 0 {
		o.Time = 2 * time.Second
	}
	if o.MinRuns <= 0 {
		o.MinRuns = 3
	}
	if o.MaxRuns < o.MinRuns {
		o.MaxRuns = max(1000, o.MinRuns)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// Measure measures cases against each other: they take turns, one run each. The
// results come in the cases' order.
func Measure(ctx context.Context, cases []Case, o Options) ([]Result, error) {
	o = o.withDefaults()
	results := make([]Result, len(cases))
	benches := make([]*bench, 0, len(cases))
	defer func() {
		for _, b := range benches {
			b.close()
		}
	}()
	for i, c := range cases {
		if err := c.Validate(); err != nil {
			return nil, err
		}
		results[i] = newResult(c)
	}
	// What a job needs in memory is seen while it is alone.
	for i, c := range cases {
		b, peak, err := o.first(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s on engine %s: %w", c.Work, c.Engine, err)
		}
		results[i].PeakRSSMB = peak
		if len(cases) == 1 {
			benches = append(benches, b)
		} else {
			b.close()
		}
	}
	for _, c := range cases[len(benches):] {
		b, err := o.open(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s on engine %s: %w", c.Work, c.Engine, err)
		}
		benches = append(benches, b)
	}
	if err := o.turns(ctx, benches); err != nil {
		return nil, err
	}
	for i, b := range benches {
		results[i].fill(b.times, b.referenceTimes)
	}
	return results, nil
}

// bench is a case under measurement.
type bench struct {
	work                  Case
	backend               compute.Backend
	job, reference        *Job
	times, referenceTimes []time.Duration
}

func (b *bench) close() {
	b.job.close()
	b.reference.close()
	b.job, b.reference = nil, nil
	if b.backend != nil {
		b.backend.Finalize()
		b.backend = nil
	}
}

// open makes a case's job and runs it once.
func (o Options) open(ctx context.Context, c Case) (_ *bench, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opener := openers[c.Work]
	if c.Work == Train {
		opener = o.Train
	}
	if opener == nil {
		return nil, fmt.Errorf("%w: work %q cannot be measured here", ErrCase, c.Work)
	}
	o.Progress(fmt.Sprintf("%s on engine %s: preparing", c.Work, c.Engine))
	backend, err := engine.New(engine.Options{Kind: c.Engine, Threads: c.Threads, Precision: c.Precision, Training: c.Work == Train})
	if err != nil {
		return nil, err
	}
	b := &bench{work: c, backend: backend}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.job, err = opener(backend, c); err != nil {
		return nil, err
	}
	return b, b.job.Run()
}

// first opens a case and tells the peak of the program's memory while it ran
// alone, twice.
func (o Options) first(ctx context.Context, c Case) (*bench, *float64, error) {
	debug.FreeOSMemory()
	resetPeak()
	b, err := o.open(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if err := b.job.Run(); err != nil {
		b.close()
		return nil, nil, err
	}
	bytes, ok := peakMemory()
	if !ok {
		return b, nil, nil
	}
	mb := math.Round(float64(bytes)/(1<<20)*10) / 10
	return b, &mb, nil
}

// turns runs all jobs and their reference products by turns until each has had
// its time.
func (o Options) turns(ctx context.Context, benches []*bench) error {
	for _, b := range benches {
		var err error
		if b.reference, err = openReference(b.backend, b.work); err == nil {
			err = b.reference.Run()
		}
		if err != nil {
			return fmt.Errorf("reference product on engine %s: %w", b.work.Engine, err)
		}
	}
	told := time.Now()
	for round := 1; ; round++ {
		busy := false
		for _, b := range benches {
			for _, part := range []struct {
				job   *Job
				times *[]time.Duration
			}{{b.job, &b.times}, {b.reference, &b.referenceTimes}} {
				if o.enough(*part.times) {
					continue
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				busy = true
				if err := run(part.job, part.times); err != nil {
					return fmt.Errorf("%s on engine %s: %w", b.work.Work, b.work.Engine, err)
				}
			}
		}
		if !busy {
			return nil
		}
		if time.Since(told) > time.Second/4 {
			told = time.Now()
			o.Progress(fmt.Sprintf("%s: round %d", benches[0].work.Work, round))
		}
	}
}

// short is a run whose time depends on what the caches hold and on whose threads are awake.
const short = 50 * time.Millisecond

// run adds the time of one run. The job before has emptied the caches, and its threads still look for work: a
// short run comes after one that does not count, as in a program that does only this.
func run(job *Job, times *[]time.Duration) error {
	if n := len(*times); n > 0 && (*times)[n-1] < short {
		if err := job.Run(); err != nil {
			return err
		}
	}
	start := time.Now()
	if err := job.Run(); err != nil {
		return err
	}
	*times = append(*times, time.Since(start))
	return nil
}

// enough says whether a job has had its time.
func (o Options) enough(times []time.Duration) bool {
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return len(times) >= o.MaxRuns || len(times) >= o.MinRuns && sum >= o.Time
}

// median returns the middle, the mean of both middles of an even number.
func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}
