package cli

import (
	"context"
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
	type outcome struct {
		result T
		err    error
	}
	var group sync.WaitGroup
	defer group.Wait()
	var begun []chan outcome // of i, i+1, …
	next := 0
	for i := range n {
		for next < n && len(begun) < min(most, runtime.GOMAXPROCS(0)) && ctx.Err() == nil {
			done, number := make(chan outcome, 1), next
			group.Go(func() {
				result, err := work(number)
				done <- outcome{result, err}
			})
			begun, next = append(begun, done), next+1
		}
		var o outcome
		if len(begun) > 0 {
			o, begun = <-begun[0], begun[1:]
		} else {
			o.err = ctx.Err()
		}
		if err := take(i, o.result, o.err); err != nil {
			return err
		}
	}
	return nil
}
