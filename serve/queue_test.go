package serve

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestQueue: as many work as may, the others wait in order, and beyond the limit
// they are told when to come again.
func TestQueue(t *testing.T) {
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
		if q.full() == nil {
			t.Error("with as many waiting as may it says that there is room")
		}
		var p *problem
		if _, err := q.enter(t.Context()); !errors.As(err, &p) || p.Status != 429 || p.retry <= 0 || p.Limit != 2 {
			t.Errorf("the third gets %v", err)
		}
		leave()
		synctest.Wait()
		if a, b := <-order, <-order; a != 0 || b != 1 {
			t.Errorf("they went in the order %d, %d", a, b)
		}
		if q.free != 1 || q.waits() != 0 {
			t.Errorf("%d workers are free, %d wait", q.free, q.waits())
		}
	})
}

// TestQueueLeft: who leaves while waiting takes no worker along.
func TestQueueLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 5, 0)
		leave, _ := q.enter(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting ended with %v", err)
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

// load runs requests that arrive at a rate of so many a second and work for
// 20 ms, and returns how long those that were answered took.
func load(t *testing.T, rate float64, duration time.Duration) (took []time.Duration, refused int) {
	t.Helper()
	const work = 20 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2, 100, 0)
		r := rand.New(rand.NewPCG(1, 2))
		results := make(chan time.Duration, int(rate*duration.Seconds()*2)+10)
		sent, begin := 0, time.Now()
		for time.Since(begin) < duration {
			sent++
			go func() {
				begin := time.Now()
				leave, err := q.enter(t.Context())
				if err != nil {
					results <- -1
					return
				}
				time.Sleep(work)
				leave()
				results <- time.Since(begin)
			}()
			time.Sleep(time.Duration(r.ExpFloat64() / rate * float64(time.Second)))
		}
		for range sent {
			if d := <-results; d >= 0 {
				took = append(took, d)
			} else {
				refused++
			}
		}
	})
	slices.Sort(took)
	return took, refused
}

// TestOverload: two workers of 20 ms answer 100 a second. At a half of that nobody
// is refused; at ten times that the workers stay busy and 99 of 100 answers take
// at most twice what they take without load.
func TestOverload(t *testing.T) {
	for _, c := range []struct {
		rate    float64
		least   int // answers
		refused bool
		p99     time.Duration
	}{
		{50, 900, false, 60 * time.Millisecond},
		{150, 1700, true, 200 * time.Millisecond},
		{1000, 1900, true, 40 * time.Millisecond},
	} {
		took, refused := load(t, c.rate, 20*time.Second)
		p99 := took[len(took)*99/100]
		t.Logf("%4.0f a second: %d answered, %d refused, half in %v, 99 of 100 in %v", c.rate, len(took), refused, took[len(took)/2], p99)
		if len(took) < c.least || (refused > 0) != c.refused || p99 > c.p99 {
			t.Errorf("wanted at least %d answers, refused %v, 99 of 100 in %v", c.least, c.refused, c.p99)
		}
	}
}

// TestBurst: as many as may wait at once are all answered.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2, 10, 0)
		answered := make(chan error, 12)
		for range 12 {
			go func() {
				leave, err := q.enter(t.Context())
				if err == nil {
					time.Sleep(20 * time.Millisecond)
					leave()
				}
				answered <- err
			}()
		}
		for range 12 {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
	})
}
