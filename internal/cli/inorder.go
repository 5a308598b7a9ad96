package cli

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// mostAtOnce is how many photos of a batch are worked on side by side: while one
// is computed, others are read and written. Each takes memory.
const mostAtOnce = 4

// inOrder does the work of 0 … n-1, at most so many of them side by side, and
// gives the results to take one after the other, in order. It ends with take's
// first error or with ctx, when all work that has begun is over.
func inOrder[T any](ctx context.Context, n, most int, work func(i int) (T, error), take func(i int, result T, err error) error) error {
	numbers := func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
	return inOrderOf(ctx, numbers, most, work, take)
}

// inOrderOf is [inOrder] for things whose number need not be known. Once ctx is
// done no more work begins: take gets ctx's error for the things that are left.
func inOrderOf[I, T any](ctx context.Context, things iter.Seq[I], most int, work func(I) (T, error), take func(thing I, result T, err error) error) error {
	type outcome struct {
		thing  I
		result T
		err    error
	}
	var group sync.WaitGroup
	defer group.Wait()
	var begun []chan outcome // in order
	if most > 1 {            // one more than processors: it is read while the others are computed
		most = min(most, runtime.GOMAXPROCS(0)+1)
	}
	first := func() error {
		o := <-begun[0]
		begun = begun[1:]
		return take(o.thing, o.result, o.err)
	}
	for thing := range things {
		done := make(chan outcome, 1)
		begun = append(begun, done)
		if err := ctx.Err(); err != nil {
			done <- outcome{thing: thing, err: err}
		} else {
			group.Go(func() {
				result, err := work(thing)
				done <- outcome{thing, result, err}
			})
		}
		if len(begun) == most {
			if err := first(); err != nil {
				return err
			}
		}
	}
	for len(begun) > 0 {
		if err := first(); err != nil {
			return err
		}
	}
	return nil
}
