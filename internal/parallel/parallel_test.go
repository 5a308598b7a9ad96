package parallel

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errSome = errors.New("some error")

func TestFor(t *testing.T) {
	for _, c := range []struct{ n, workers int }{{0, 4}, {1, 4}, {100, 1}, {100, 3}, {100, 0}, {3, 1000}} {
		var sum, atOnce, most atomic.Int64
		err := For(t.Context(), c.n, c.workers, func(_ context.Context, i int) error {
			for now, seen := atOnce.Add(1), most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			defer atOnce.Add(-1)
			sum.Add(int64(i))
			return nil
		})
		limit := c.workers
		if limit == 0 {
			limit = runtime.GOMAXPROCS(0)
		}
		if err != nil || sum.Load() != int64(c.n*(c.n-1)/2) || most.Load() > int64(limit) {
			t.Errorf("%+v: sum %d, %d at once, %v", c, sum.Load(), most.Load(), err)
		}
	}
}

// The first error ends the rest, cancels what runs and is what is returned.
func TestForFirstError(t *testing.T) {
	var begun, cancelled atomic.Int64
	err := For(t.Context(), 1000, 4, func(ctx context.Context, i int) error {
		begun.Add(1)
		if i == 2 {
			return fmt.Errorf("number %d: %w", i, errSome)
		}
		<-ctx.Done()
		cancelled.Add(1)
		return ctx.Err()
	})
	if !errors.Is(err, errSome) || begun.Load() > 4 || cancelled.Load() != begun.Load()-1 {
		t.Errorf("%v; %d begun, %d cancelled", err, begun.Load(), cancelled.Load())
	}
}

// Where the caller's context ends, its cause is returned, not what work makes of it.
func TestForCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var begun atomic.Int64
	err := For(ctx, 1000, 2, func(ctx context.Context, i int) error {
		switch n := begun.Add(1); {
		case n == 10:
			cancel(errSome)
		case n > 10: // the goroutine above may be held up before it cancels
			<-ctx.Done()
		}
		return ctx.Err()
	})
	if !errors.Is(err, errSome) || begun.Load() > 12 {
		t.Errorf("%v after %d", err, begun.Load())
	}
	if err := For(ctx, 5, 2, func(context.Context, int) error { t.Error("work began"); return nil }); !errors.Is(err, errSome) {
		t.Error(err)
	}
}

// A panic is an error that holds where it was.
func TestPanics(t *testing.T) {
	err := For(t.Context(), 10, 2, func(_ context.Context, i int) error {
		if i == 3 {
			panic(errSome)
		}
		return nil
	})
	var p *Panic
	if !errors.As(err, &p) || !errors.Is(err, errSome) || !strings.Contains(string(p.Stack), "TestPanics") || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("%v", err)
	}
	err = Ordered(t.Context(), Numbers(3), 2, 2, func(_ context.Context, i int) (int, error) {
		if i == 1 {
			panic("no error value")
		}
		return i, nil
	}, func(i, _ int, err error) error {
		if (i == 1) != (err != nil) {
			t.Errorf("%d: %v", i, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestForWith(t *testing.T) {
	var mutex sync.Mutex
	var owns []*int
	err := ForWith(t.Context(), 100, 3, func() *int {
		mutex.Lock()
		defer mutex.Unlock()
		owns = append(owns, new(int))
		return owns[len(owns)-1]
	}, func(_ context.Context, own *int, _ int) error { *own++; return nil })
	sum := 0
	for _, o := range owns {
		sum += *o
	}
	if err != nil || len(owns) != 3 || sum != 100 {
		t.Errorf("%d of %d goroutines' own, %v", sum, len(owns), err)
	}
}

func TestRun(t *testing.T) {
	meet := make(chan struct{}) // both run at once
	err := Run(t.Context(),
		func(context.Context) error { meet <- struct{}{}; return nil },
		func(context.Context) error { <-meet; return errSome })
	if !errors.Is(err, errSome) {
		t.Error(err)
	}
	if err := Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// Results come in order, errors among them, whatever takes how long, and no more than
// what is allowed runs or lies ready.
func TestOrdered(t *testing.T) {
	for _, c := range []struct{ n, workers, ahead int }{{0, 2, 4}, {1, 2, 4}, {50, 1, 1}, {50, 3, 8}, {50, 4, 0}} {
		synctest.Test(t, func(t *testing.T) {
			var atOnce, most, ready, mostReady atomic.Int64
			var got []int
			err := Ordered(t.Context(), Numbers(c.n), c.workers, c.ahead, func(_ context.Context, i int) (int, error) {
				most.Store(max(most.Load(), atOnce.Add(1)))
				defer atOnce.Add(-1)
				time.Sleep(time.Duration(i*7%5) * time.Millisecond)
				mostReady.Store(max(mostReady.Load(), ready.Add(1)))
				if i == 20 {
					return 0, errSome
				}
				return i * i, nil
			}, func(i, square int, err error) error {
				ready.Add(-1)
				if (i == 20) != (err != nil) || err == nil && square != i*i {
					t.Errorf("%d: %d, %v", i, square, err)
				}
				got = append(got, i)
				time.Sleep(time.Millisecond)
				return nil
			})
			want := slices.Collect(Numbers(c.n))
			if err != nil || !slices.Equal(got, want) || most.Load() > int64(c.workers) || mostReady.Load() > int64(max(c.workers, c.ahead)) {
				t.Errorf("%+v: %v, %d at once, %d ready, %v", c, got, most.Load(), mostReady.Load(), err)
			}
		})
	}
}

// take's error ends it, after what runs; the end of ctx is told to take.
func TestOrderedEnds(t *testing.T) {
	var running atomic.Int64
	items := 0
	count := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
			items++
		}
	}
	err := Ordered(t.Context(), count, 3, 6, func(ctx context.Context, i int) (int, error) {
		running.Add(1)
		defer running.Add(-1)
		if i > 4 {
			<-ctx.Done()
		}
		return i, nil
	}, func(i, _ int, _ error) error {
		if i == 4 {
			return errSome
		}
		return nil
	})
	if !errors.Is(err, errSome) || running.Load() != 0 || items > 12 {
		t.Errorf("%v, %d run on, %d items", err, running.Load(), items)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	taken := 0
	err = Ordered(ctx, count, 2, 4, func(context.Context, int) (int, error) { return 0, nil }, func(i, _ int, err error) error {
		if taken++; i == 3 {
			cancel(errSome)
		}
		return err
	})
	if !errors.Is(err, errSome) || taken > 10 {
		t.Errorf("%v after %d", err, taken)
	}
	err = Ordered(ctx, Numbers(1), 2, 4, func(context.Context, int) (int, error) { t.Error("work began"); return 0, nil }, func(int, int, error) error { return nil })
	if !errors.Is(err, errSome) {
		t.Error(err)
	}
}
