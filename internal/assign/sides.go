package assign

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// sideBySide calls work for 0 to n−1, several at once, and then done, unless ctx
// ended meanwhile.
func sideBySide(ctx context.Context, n int, work func(i int), done func()) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				work(i)
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	done()
	return nil
}
