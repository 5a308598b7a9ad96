package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestBudget: beyond the limit one body goes on, others wait until there is room or
// their time ends.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := newBudget(100)
		var a, b, c body
		for _, step := range []struct {
			of *body
			n  int64
		}{{&a, 80}, {&b, 50}, {&b, 500}} { // b goes beyond
			if err := budget.take(t.Context(), step.of, step.n); err != nil {
				t.Fatal(err)
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := budget.take(short, &c, 20); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second body beyond the limit: %v", err)
		}
		waits := make(chan error, 1)
		go func() { waits <- budget.take(t.Context(), &c, 20) }()
		synctest.Wait()
		if len(waits) > 0 {
			t.Error("it does not wait")
		}
		budget.give(&b, 550)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		budget.give(&a, 80)
		budget.give(&c, 20)
		if n := budget.bytes(); n != 0 || budget.beyond != nil {
			t.Errorf("%d bytes still count", n)
		}
	})
}
