package serve

import (
	"slices"
	"time"
)

// admission decides who of a queue goes next and who is refused.
//
// While the queue has room every request waits, the oldest goes first, and none is
// refused: a burst as long as the queue is answered whatever its requests cost, and
// so are clients that wait for each answer before they ask again. A request is
// refused where the queue is full, or where it could not be answered before its
// deadline. From the first refusal on the newest goes first, so that new requests are
// answered quickly, and the older ones wait for the end of the burst.
//
// Where refusals go on for long, it is no burst: more is asked than can be answered,
// and waiting would only make every answer late. Then requests that have waited too
// long are refused as well, but for the newest, until none was for a while ("adaptive LIFO" with
// controlled delay; Maurer, Fail at Scale, ACM Queue 13(8), 2015). Only refusals
// count: neither an idle server nor a long queue is overload.
//
// Its methods are called with the queue's lock held.
type admission struct {
	// wait is how long a request may wait under overload; 0 is patience times mean.
	wait time.Duration
	// mean is how long work takes, a moving average; 0 before any is done.
	mean time.Duration
	// recent is how long the latest works took, since the server was last idle.
	recent []time.Duration
	// first and last are the times of the first and the latest of refusals that follow
	// one another; zero is none.
	first, last time.Time
	overload    bool
}

const (
	// patience is what is too long to wait under overload, in parts of the mean work.
	patience = 0.5
	// memory is how many works the moving average and the quickest are about.
	memory = 16
	// standing and standingWorks are how long refusals go on before they are
	// overload, and how long there are none before it is over: a second, and so many
	// mean works.
	standing      = time.Second
	standingWorks = 4
)

// lasting is how long overload takes to begin and to end.
func (a *admission) lasting() time.Duration { return standing + standingWorks*a.mean }

// refused notes that a request was refused.
func (a *admission) refused(now time.Time) {
	a.judge(now)
	if a.first.IsZero() {
		a.first = now
	}
	a.last = now
	a.judge(now)
}

// worked notes how long work took.
func (a *admission) worked(took time.Duration) {
	if a.mean == 0 {
		a.mean = took
	}
	a.mean += (took - a.mean) / memory
	if len(a.recent) == memory {
		a.recent = slices.Delete(a.recent, 0, 1)
	}
	a.recent = append(a.recent, took)
}

// idle notes that a request found all workers free: what will be asked now may cost
// something else.
func (a *admission) idle() { a.recent = a.recent[:0] }

// drained notes that nobody waits any more: a burst is over.
func (a *admission) drained() {
	if !a.overload {
		a.first, a.last = time.Time{}, time.Time{}
	}
}

// judge begins and ends overload.
func (a *admission) judge(now time.Time) {
	switch {
	case a.first.IsZero():
	case now.Sub(a.last) > a.lasting():
		a.overload, a.first, a.last = false, time.Time{}, time.Time{}
	case a.last.Sub(a.first) > a.lasting():
		a.overload = true
	}
}

// newestFirst reports whether the newest goes first.
func (a *admission) newestFirst() bool { return !a.first.IsZero() }

// late reports whether a request has waited too long, unless it is the only one: a
// worker is never left idle.
func (a *admission) late(t *ticket, now time.Time) bool {
	return a.overload && now.Sub(t.since) > a.most()
}

// over reports whether a request cannot be answered in its time any more.
func (a *admission) over(t *ticket, now time.Time) bool {
	return a.hopeless(0, 1, t.until, now)
}

// most is how long a request may wait under overload.
func (a *admission) most() time.Duration {
	if a.wait > 0 {
		return a.wait
	}
	return time.Duration(patience * float64(a.mean))
}

// hopeless reports whether a request with so many others before it (itself
// included, if it has to wait) cannot be answered before its deadline, even if every
// work takes no longer than the quickest of the latest ones. Where few have been seen
// since the server was idle, nothing is.
func (a *admission) hopeless(before, workers int, until, now time.Time) bool {
	if len(a.recent) < memory || until.IsZero() {
		return false
	}
	quickest := slices.Min(a.recent)
	return now.Add(time.Duration(before)*quickest/time.Duration(workers) + quickest).After(until)
}
