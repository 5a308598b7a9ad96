// Package parallel runs work on several goroutines, with one rule for all of it:
//
//   - The first error ends the rest: no more work begins, the context that running
//     work has is cancelled, and the error is returned when all of it is over.
//   - Where ctx ends first, its cause is returned.
//   - A panic in the work becomes an error, a [Panic], instead of the program's end.
//   - Nothing runs on when a function has returned.
package parallel

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Panic is the error that a panic in the work becomes.
type Panic struct {
	// Value is what was given to panic, Stack where that was.
	Value any
	Stack []byte
}

// Error says what happened, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("internal error: %v", p.Value) }

// Unwrap returns the value if that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// guard calls work and returns its panic as an error.
func guard(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{v, debug.Stack()}
		}
	}()
	return work()
}

// For calls work for 0 … n−1, in this order, on so many goroutines; 0 workers are as
// many as there are processors.
func For(ctx context.Context, n, workers int, work func(ctx context.Context, i int) error) error {
	return ForWith(ctx, n, workers, func() struct{} { return struct{}{} }, func(ctx context.Context, _ struct{}, i int) error {
		return work(ctx, i)
	})
}

// ForWith is [For] with something of each goroutine's own, as working memory, which
// begin makes.
func ForWith[S any](ctx context.Context, n, workers int, begin func() S, work func(ctx context.Context, own S, i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, inner := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(workers, n) {
		group.Go(func() error {
			return guard(func() error {
				own := begin()
				for inner.Err() == nil {
					i := int(next.Add(1)) - 1
					if i >= n {
						break
					}
					if err := work(inner, own, i); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return first(ctx, group.Wait())
}

// Run runs tasks, all at once.
func Run(ctx context.Context, tasks ...func(context.Context) error) error {
	return For(ctx, len(tasks), len(tasks), func(ctx context.Context, i int) error { return tasks[i](ctx) })
}

// first is the error to return for one of the work, nil or not.
func first(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && (err == nil || err == ended) {
		return context.Cause(ctx)
	}
	return err
}

// Ordered works on items, on so many goroutines (0: as many as there are processors),
// and hands the results to take one after the other, in the items' order. Work begins
// on at most ahead items before the result of the first is taken; fewer than workers
// means as many.
//
// Items are iterated and results taken on the caller's own goroutine, so that the two
// may share what is not safe for concurrent use. An error of the work is not the end:
// take gets it. take's first error is, as is the end of ctx: take then gets ctx's cause
// for the items on which no work has begun, and its own error or that cause is
// returned.
func Ordered[I, T any](ctx context.Context, items iter.Seq[I], workers, ahead int, work func(ctx context.Context, item I) (T, error), take func(item I, result T, err error) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type outcome struct {
		item   I
		result T
		err    error
	}
	type job struct {
		item I
		done chan outcome
	}
	inner, cancel := context.WithCancel(ctx)
	ahead = max(workers, ahead)
	// Work begins in the items' order, so that the first result is never waited for
	// by work on later items. The queue holds all that is begun and not taken.
	jobs := make(chan job, ahead)
	var group errgroup.Group // its functions return no error: take gets those
	defer func() {
		cancel()
		close(jobs)
		_ = group.Wait()
	}()
	for range workers {
		group.Go(func() error {
			for j := range jobs {
				o := outcome{item: j.item}
				if o.err = context.Cause(inner); o.err == nil {
					o.err = guard(func() (err error) {
						o.result, err = work(inner, j.item)
						return err
					})
				}
				j.done <- o
			}
			return nil
		})
	}
	begin := func(item I) <-chan outcome {
		done := make(chan outcome, 1)
		jobs <- job{item, done}
		return done
	}
	var begun []<-chan outcome // in order
	takeFirst := func() error {
		o := <-begun[0]
		begun = begun[1:]
		return take(o.item, o.result, o.err)
	}
	for item := range items {
		begun = append(begun, begin(item))
		if len(begun) >= ahead {
			if err := takeFirst(); err != nil {
				return err
			}
		}
	}
	for len(begun) > 0 {
		if err := takeFirst(); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// Numbers are 0 … n−1, as items of [Ordered].
func Numbers(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
