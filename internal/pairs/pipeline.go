package pairs

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// pipeline works on items on several goroutines and hands the results over in the
// items' order. The first error of take ends it, as does the end of ctx.
func pipeline[A, B any](ctx context.Context, items iter.Seq[A], workers int, work func(A) B, take func(B) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	type job struct {
		item A
		done chan B
	}
	// Each item has its own channel; the queue of channels keeps the order and
	// bounds how far the work runs ahead.
	jobs, queue := make(chan job), make(chan chan B, 4*workers)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for range workers {
		group.Go(func() {
			for j := range jobs {
				j.done <- work(j.item)
			}
		})
	}
	group.Go(func() {
		defer close(jobs)
		defer close(queue)
		for item := range items {
			done := make(chan B, 1)
			select {
			case queue <- done:
			case <-ctx.Done():
				return
			}
			jobs <- job{item, done}
		}
	})
	for done := range queue {
		if ctx.Err() != nil {
			break
		}
		if err := take(<-done); err != nil {
			return err
		}
	}
	return ctx.Err()
}
