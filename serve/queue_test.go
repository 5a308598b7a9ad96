package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestQueue: as many work as may, the others wait in order, the newest first once
// one was refused, and beyond the limit they are told when to come again.
func TestQueue(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(1, 2, 0)
			leave, err := q.enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			order := make(chan int, 2)
			for i := range 2 {
				go func() {
					leave, err := q.enter(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					order <- i
					leave()
				}()
				synctest.Wait()
			}
			if refuse {
				if q.full(t.Context()) == nil {
					t.Error("with as many waiting as may it says that there is room")
				}
				var p *problem
				if _, err := q.enter(t.Context()); !errors.As(err, &p) || p.Status != 429 || p.Limit != 2 {
					t.Errorf("the third gets %v", err)
				}
			}
			time.Sleep(time.Second)
			leave()
			synctest.Wait()
			if first := <-order; (first == 1) != refuse {
				t.Errorf("refused %v: number %d went first", refuse, first)
			}
			<-order
			if q.free != 1 || q.waits() != 0 {
				t.Errorf("%d workers are free, %d wait", q.free, q.waits())
			}
		})
	}
}

// TestQueueLeft: who leaves while waiting takes no worker along.
func TestQueueLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 5, 0)
		leave, _ := q.enter(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var p *problem
		if _, err := q.enter(ctx); !errors.As(err, &p) || p.Status != 429 {
			t.Errorf("waiting to the deadline ended with %v", err)
		}
		gone, leaves := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leaves)
		if _, err := q.enter(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting ended with %v for a client that left", err)
		}
		if q.waits() != 0 {
			t.Error("it still waits")
		}
		leave()
		if q.free != 1 {
			t.Errorf("%d workers are free", q.free)
		}
	})
}
