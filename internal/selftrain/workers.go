package selftrain

import (
	"context"
	"sync"
	"sync/atomic"
)

// sideBySide calls work for 0 … n−1 on several goroutines; it returns ctx's error
// where that ends first.
func sideBySide(ctx context.Context, n, threads int, work func(i int)) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(threads, n) {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				work(i)
			}
		})
	}
	group.Wait()
	return ctx.Err()
}

// inOrder calls work for 0 … n−1, each worker with a helper of its own, and take with
// the results in order. Work runs ahead of take by no more than twice the number of
// helpers. The first error of either ends it.
func inOrder[H, T any](ctx context.Context, n int, helpers []H, work func(context.Context, H, int) (T, error), take func(int, T) error) error {
	type outcome struct {
		result T
		err    error
	}
	type job struct {
		number int
		done   chan outcome
	}
	ctx, cancel := context.WithCancel(ctx)
	jobs, queue := make(chan job), make(chan chan outcome, 2*len(helpers))
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for _, h := range helpers {
		group.Go(func() {
			for j := range jobs {
				result, err := work(ctx, h, j.number)
				j.done <- outcome{result, err}
			}
		})
	}
	group.Go(func() {
		defer close(queue)
		defer close(jobs)
		for i := range n {
			done := make(chan outcome, 1)
			select {
			case queue <- done:
			case <-ctx.Done():
				return
			}
			jobs <- job{i, done}
		}
	})
	i := 0
	for done := range queue {
		o := <-done
		if o.err != nil {
			return o.err
		}
		if err := take(i, o.result); err != nil {
			return err
		}
		i++
	}
	return ctx.Err()
}
