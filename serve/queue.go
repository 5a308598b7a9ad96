package serve

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// queue lets a bounded number of requests compute and a bounded number wait. Which
// of them goes next, and who is refused, [admission] decides.
type queue struct {
	mu      sync.Mutex
	free    int // workers without work
	workers int
	limit   int
	waiting []*ticket // the oldest first
	rule    admission
}

// ticket is a request that waits.
type ticket struct {
	since time.Time
	// until is the request's deadline; zero is none.
	until time.Time
	turn  chan error // gets nil, or why there will be none
}

func newQueue(workers, limit int, wait time.Duration) *queue {
	return &queue{free: workers, workers: workers, limit: limit, rule: admission{wait: wait}}
}

// full returns the refusal that a request would meet now, so that its body need not
// be read; nil where there is room. A worker that is free is room.
func (q *queue) full(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		return nil
	}
	until, _ := ctx.Deadline()
	return q.refusal(until, time.Now())
}

// refusal says why a request that comes now cannot wait, or nil. q.mu is held.
func (q *queue) refusal(until, now time.Time) error {
	n := len(q.waiting)
	if n >= q.limit {
		q.rule.refused(now)
		return q.busy("the queue is full: %s", count(n, "request waits", "requests wait"))
	}
	if q.rule.hopeless(n+1, q.workers, until, now) {
		q.rule.refused(now)
		return q.busy("%s before this one: it could not be answered in the time that a request may take", count(n, "request waits", "requests wait"))
	}
	return nil
}

// enter waits for a worker; leave must be called when the work is done. An error
// is a problem of kind busy, or that the client has left.
func (q *queue) enter(ctx context.Context) (leave func(), err error) {
	q.mu.Lock()
	now := time.Now()
	q.rule.judge(now)
	if q.free > 0 {
		if q.free == q.workers {
			q.rule.idle()
		}
		q.free--
		q.mu.Unlock()
		return q.leaving(), nil
	}
	t := &ticket{since: now, turn: make(chan error, 1)}
	t.until, _ = ctx.Deadline()
	if err := q.refusal(t.until, now); err != nil {
		q.mu.Unlock()
		return nil, err
	}
	q.waiting = append(q.waiting, t)
	q.mu.Unlock()

	select {
	case err = <-t.turn:
	case <-ctx.Done():
		err = q.quit(t, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return q.leaving(), nil
}

// quit takes a ticket out whose request has ended: its client has left, or its time
// is over, which is a refusal.
func (q *queue) quit(t *ticket, why error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, t)
	if i < 0 && <-t.turn == nil { // its turn came at the same moment
		q.next(time.Now())
	}
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	if !errors.Is(why, context.DeadlineExceeded) {
		return why
	}
	now := time.Now()
	q.rule.refused(now)
	return q.busy("no worker became free within %.1f s", now.Sub(t.since).Seconds())
}

// leaving returns what ends the work that begins now.
func (q *queue) leaving() func() {
	begin := time.Now()
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		now := time.Now()
		q.rule.worked(now.Sub(begin))
		q.next(now)
	}
}

// next gives a free worker to a request that waits, if any does. q.mu is held.
func (q *queue) next(now time.Time) {
	q.rule.judge(now)
	for len(q.waiting) > 1 && q.rule.late(q.waiting[0], now) || len(q.waiting) > 0 && q.rule.over(q.waiting[0], now) {
		q.call(0, q.busy("overloaded: requests keep arriving faster than they can be answered"))
		q.rule.refused(now)
	}
	switch n := len(q.waiting); {
	case n == 0:
		q.free++
		q.rule.drained()
	case q.rule.newestFirst():
		q.call(n-1, nil)
	default:
		q.call(0, nil)
	}
}

// call ends the wait of the i-th ticket.
func (q *queue) call(i int, err error) {
	q.waiting[i].turn <- err
	q.waiting = slices.Delete(q.waiting, i, i+1)
}

// busy is a refusal, with the time after which there should be room again.
func (q *queue) busy(format string, args ...any) *problem {
	p := kindBusy.because(format, args...)
	p.retry = time.Duration(len(q.waiting)+1) * q.rule.mean / time.Duration(q.workers)
	p.Limit = int64(q.limit)
	return p
}

// waits is how many requests wait, works how many workers are busy.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func (q *queue) works() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.workers - q.free
}
