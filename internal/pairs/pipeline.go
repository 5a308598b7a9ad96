package pairs

import (
	"context"
	"iter"
	"runtime"

	"github.com/groupvit/groupvit/internal/parallel"
)

// pipeline works on items on several goroutines and hands the results over in the
// items' order: [parallel.Ordered] of work that does not fail.
func pipeline[A, B any](ctx context.Context, items iter.Seq[A], workers int, work func(A) B, take func(B) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return parallel.Ordered(ctx, items, workers, 4*workers, func(_ context.Context, item A) (B, error) {
		return work(item), nil
	}, func(_ A, result B, err error) error {
		if err != nil { // the end of ctx, or a panic
			return err
		}
		return take(result)
	})
}
