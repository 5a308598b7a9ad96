package serve

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue lets a few requests work and a bounded number wait.
//
// A burst waits its turn, the oldest first. Where somebody has waited too long for
// a while without a break, it is no burst: more is asked than can be answered, and
// waiting would only make every answer late. Then the newest goes first, and who
// has waited too long is sent away, so that those who are answered are answered in
// time ("adaptive LIFO" with controlled delay; Maurer, Fail at Scale, ACM Queue
// 13(8), 2015).
type queue struct {
	mu      sync.Mutex
	free    int // workers without work
	workers int
	limit   int
	waiting []*ticket // the oldest first
	// overload says that the newest goes first; good is when last nobody had waited
	// too long, bad when last somebody had.
	overload  bool
	good, bad time.Time
	// mean is how long work takes, a moving average.
	mean time.Duration
	// wait is what is too long to wait; 0 is patience times the mean.
	wait time.Duration
}

// ticket is somebody who waits.
type ticket struct {
	since time.Time
	turn  chan error // gets nil, or why there will be none
}

// Of the queue.
const (
	// standing is how long nothing is good before it is overload (a burst of page
	// loads is over by then), settled how long nothing is bad before it is none.
	standing = 100 * time.Millisecond
	settled  = time.Second
	// patience is what is too long to wait, in parts of the mean work.
	patience = 0.5
	// memory is how many answers the mean is about.
	memory = 16
)

func newQueue(workers, limit int, wait time.Duration) *queue {
	return &queue{free: workers, workers: workers, limit: limit, wait: wait, mean: 50 * time.Millisecond, good: time.Now()}
}

// full says whether a request would be refused now, so that its body need not be
// read.
func (q *queue) full() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.limit {
		return q.busy("%d requests wait already, which is the limit", len(q.waiting))
	}
	return nil
}

// enter waits for a worker; leave must be called when the work is done. An error
// is a problem of kind busy, or ctx's.
func (q *queue) enter(ctx context.Context) (leave func(), err error) {
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return q.leaving(), nil
	}
	if len(q.waiting) >= q.limit {
		defer q.mu.Unlock()
		return nil, q.busy("%d requests wait already, which is the limit", len(q.waiting))
	}
	t := &ticket{since: time.Now(), turn: make(chan error, 1)}
	q.waiting = append(q.waiting, t)
	q.mu.Unlock()

	select {
	case err = <-t.turn:
	case <-ctx.Done():
		q.mu.Lock()
		i := slices.Index(q.waiting, t)
		if i >= 0 {
			q.waiting = slices.Delete(q.waiting, i, i+1)
		}
		q.mu.Unlock()
		if i < 0 && <-t.turn == nil { // the turn came at the same moment
			q.done()
		}
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return q.leaving(), nil
}

// leaving returns what ends the work that begins now.
func (q *queue) leaving() func() {
	begin := time.Now()
	return func() {
		q.mu.Lock()
		q.mean += (time.Since(begin) - q.mean) / memory
		q.mu.Unlock()
		q.done()
	}
}

// done gives a worker to who waits, if anybody does.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.judge(now)
	if q.overload {
		for len(q.waiting) > 0 && now.Sub(q.waiting[0].since) > q.most() {
			q.call(0, q.busy("more is asked than can be answered, for %.1f s now", now.Sub(q.good).Seconds()))
		}
	}
	switch n := len(q.waiting); {
	case n == 0:
		q.free++
	case q.overload:
		q.call(n-1, nil)
	default:
		q.call(0, nil)
	}
}

// judge says by how long the oldest has waited whether there is overload.
func (q *queue) judge(now time.Time) {
	if len(q.waiting) > 0 && now.Sub(q.waiting[0].since) > q.most() {
		q.bad = now
	} else if !q.overload {
		q.good = now
	}
	switch {
	case q.overload && now.Sub(q.bad) > settled:
		q.overload, q.good = false, now
	case !q.overload && now.Sub(q.good) > standing:
		q.overload = true
	}
}

// most is how long nobody should wait.
func (q *queue) most() time.Duration {
	if q.wait > 0 {
		return q.wait
	}
	return time.Duration(patience * float64(q.mean))
}

// call ends the wait of the i-th.
func (q *queue) call(i int, err error) {
	q.waiting[i].turn <- err
	q.waiting = slices.Delete(q.waiting, i, i+1)
}

// busy is the problem of who must come again, with the time after which that is
// worth while.
func (q *queue) busy(format string, args ...any) *problem {
	p := kindBusy.because(format, args...)
	p.retry = time.Duration(len(q.waiting)+1) * q.mean / time.Duration(q.workers)
	p.Limit = int64(q.limit)
	return p
}

// waits is how many wait.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
