package train

import (
	"context"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/stepper"
)

// feeder makes batches, or their parts, ready on the engine's device while the step
// before runs. It changes nothing but the time that takes: what stands in a batch,
// and its random numbers, depend on its number alone, so what has been made ready
// when a run stops is made again when it goes on.
type feeder struct {
	made   chan fed
	cancel context.CancelFunc
}

// fed is something ready, or the error that ended the feeding.
type fed struct {
	ready *stepper.Ready
	err   error
}

// feed starts making batches ready, from number step on, which the loader stands
// at. The end of ctx ends it between two batches. before, where it is not nil, sees
// every whole batch first.
func feed(ctx context.Context, loader *pairs.Loader, u stepper.Upload, step int, before func(int, *pairs.Batch)) *feeder {
	between, cancelBetween := context.WithCancel(ctx)
	own, cancelOwn := context.WithCancel(context.WithoutCancel(ctx))
	f := &feeder{made: make(chan fed), cancel: func() { cancelBetween(); cancelOwn() }}
	go func() {
		defer close(f.made)
		for within := false; ; {
			until := between
			if within { // a step that has begun gets all its parts
				until = own
			}
			r, err := one(until, loader, u, step, before)
			select {
			case f.made <- fed{r, err}:
			case <-own.Done():
				if r != nil {
					r.Free()
				}
				return
			}
			if err != nil {
				return
			}
			if within = loader.Step() == step; !within {
				step++
			}
		}
	}()
	return f
}

// one makes the next part ready.
func one(ctx context.Context, loader *pairs.Loader, u stepper.Upload, step int, before func(int, *pairs.Batch)) (*stepper.Ready, error) {
	p, err := loader.NextMicroBatch(ctx)
	if err != nil {
		return nil, dataError{err}
	}
	if before != nil && p.Pixels != nil && p.Batch.Pixels != nil {
		before(step, p.Batch)
	}
	return u.Ready(p, step)
}

// dataError is an error of the loader.
type dataError struct{ error }

func (e dataError) Unwrap() error { return e.error }

// next is a [source]. After an error it has no more.
func (f *feeder) next() (*stepper.Ready, error) {
	x, ok := <-f.made
	if !ok {
		return nil, dataError{context.Canceled}
	}
	return x.ready, x.err
}

// stop ends the feeding and waits for it.
func (f *feeder) stop() {
	f.cancel()
	for x := range f.made {
		if x.ready != nil {
			x.ready.Free()
		}
	}
}
