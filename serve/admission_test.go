package serve

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// arrival is a request: when it comes, and how long its work takes.
type arrival struct{ at, work time.Duration }

// ended is what became of a request.
type ended struct {
	arrival
	took    time.Duration // from its arrival to its answer or refusal
	refused bool
}

// simulate lets requests come to a queue, on a clock of its own, and returns what
// became of each, in their order. Work that outlives a request's time is answered
// too, late.
func simulate(t *testing.T, q func() *queue, timeout time.Duration, requests []arrival) []ended {
	t.Helper()
	out := make([]ended, len(requests))
	synctest.Test(t, func(t *testing.T) {
		q := q()
		var wg sync.WaitGroup
		for i, r := range requests {
			wg.Go(func() {
				time.Sleep(r.at)
				out[i] = request(t, q, timeout, r)
			})
		}
		wg.Wait()
		if q.free != q.workers || q.waits() != 0 {
			t.Errorf("at the end %d of %d workers are free, %d requests wait", q.free, q.workers, q.waits())
		}
	})
	return out
}

// request enters, works and leaves.
func request(t *testing.T, q *queue, timeout time.Duration, r arrival) ended {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	leave, err := q.enter(ctx)
	if err != nil {
		var p *problem
		if !errors.As(err, &p) || p.Status != 429 || p.retry < 0 {
			t.Errorf("refused with %v", err)
		}
		return ended{r, time.Since(begin), true}
	}
	time.Sleep(r.work)
	leave()
	return ended{r, time.Since(begin), false}
}

// works draws how long a work takes.
type works struct {
	name string
	mean time.Duration
	draw func(*rand.Rand) time.Duration
}

var kindsOfWork = []works{
	{"1 ms", time.Millisecond, func(*rand.Rand) time.Duration { return time.Millisecond }},
	{"20 ms", 20 * time.Millisecond, func(*rand.Rand) time.Duration { return 20 * time.Millisecond }},
	{"280 ms", 280 * time.Millisecond, func(*rand.Rand) time.Duration { return 280 * time.Millisecond }},
	{"10 to 50 ms", 30 * time.Millisecond, func(r *rand.Rand) time.Duration {
		return 10*time.Millisecond + time.Duration(r.Int64N(int64(40*time.Millisecond)))
	}},
	// One in ten is a large photo in the best quality.
	{"10 and 400 ms", 49 * time.Millisecond, func(r *rand.Rand) time.Duration {
		if r.IntN(10) == 0 {
			return 400 * time.Millisecond
		}
		return 10 * time.Millisecond
	}},
}

// steady are requests that come at a number of times the capacity of so many workers.
func (w works) steady(r *rand.Rand, times float64, workers int, from, to time.Duration) (list []arrival) {
	perSecond := times * float64(workers) / w.mean.Seconds()
	for at := from; at < to; at += time.Duration(r.ExpFloat64() / perSecond * float64(time.Second)) {
		list = append(list, arrival{at, w.draw(r)})
	}
	return list
}

const (
	testQueue   = 100
	testTimeout = 30 * time.Second
)

func fresh(workers int) func() *queue {
	return func() *queue { return newQueue(workers, testQueue, 0) }
}

// inTime fails where a request was refused or answered after its time.
func inTime(t *testing.T, list []ended) {
	t.Helper()
	refused, late := 0, 0
	for _, e := range list {
		if e.refused {
			refused++
		} else if e.took > testTimeout {
			late++
		}
	}
	if refused > 0 || late > 0 {
		t.Errorf("of %d requests %d were refused, %d late", len(list), refused, late)
	}
}

// TestBurst: an idle server answers a burst as long as its queue, whatever its
// requests cost and however long it was idle, also the second and after costly work.
func TestBurst(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		for _, w := range kindsOfWork {
			for _, n := range []int{1, 2, 3, 20, 60, 100} {
				for _, idle := range []time.Duration{0, 90 * time.Millisecond, time.Minute, 24 * time.Hour} {
					t.Run(fmt.Sprintf("%d workers, %d of %s after %v", workers, n, w.name, idle), func(t *testing.T) {
						r := rand.New(rand.NewPCG(uint64(n), uint64(workers)))
						var list []arrival
						for k := range 3 {
							at := idle*time.Duration(k+1) + time.Duration(k)*time.Minute
							list = append(list, arrival{at, 2 * time.Second}) // what it costs says nothing of the burst
							for range n {
								list = append(list, arrival{at + 10*time.Second, w.draw(r)})
							}
						}
						inTime(t, simulate(t, fresh(workers), testTimeout, list))
					})
				}
			}
		}
	}
}

// TestBurstBeyondTheQueue: of a burst longer than the queue those that found room
// are answered, the others are refused at once.
func TestBurstBeyondTheQueue(t *testing.T) {
	for _, spread := range []time.Duration{0, 50 * time.Millisecond, 500 * time.Millisecond} {
		var list []arrival
		for i := range 150 {
			list = append(list, arrival{spread * time.Duration(i) / 150, 100 * time.Millisecond})
		}
		refused := 0
		for _, e := range simulate(t, fresh(2), testTimeout, list) {
			if e.refused {
				refused++
				if e.took > 0 {
					t.Errorf("refused after %v", e.took)
				}
			}
		}
		// Two are worked on, and as many more as end meanwhile.
		if most := 150 - testQueue - 2; refused > most || refused < most-12 {
			t.Errorf("over %v: %d of 150 were refused", spread, refused)
		}
	}
}

// TestBelowCapacity: where less is asked than can be answered nobody is refused.
func TestBelowCapacity(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		for _, w := range kindsOfWork {
			for _, times := range []float64{0.1, 0.5, 0.8} {
				r := rand.New(rand.NewPCG(1, uint64(times*10)))
				inTime(t, simulate(t, fresh(workers), testTimeout, w.steady(r, times, workers, 0, 30*time.Second)))
			}
		}
	}
}

// TestClosedClients: clients that ask again as soon as they are answered are no
// overload, as many as there may be in the queue and at work.
func TestClosedClients(t *testing.T) {
	for _, clients := range []int{2, 10, 101} {
		for _, w := range kindsOfWork {
			synctest.Test(t, func(t *testing.T) {
				q := fresh(2)()
				var wg sync.WaitGroup
				for c := range clients {
					wg.Go(func() {
						r := rand.New(rand.NewPCG(uint64(c), 1))
						for range 20 {
							if e := request(t, q, testTimeout, arrival{work: w.draw(r)}); e.refused || e.took > testTimeout {
								t.Errorf("%d clients, %s: refused %v, took %v", clients, w.name, e.refused, e.took)
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

func p99(list []ended) time.Duration {
	var took []time.Duration
	for _, e := range list {
		if !e.refused {
			took = append(took, e.took)
		}
	}
	if len(took) == 0 {
		return -1
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// TestLastingOverload: with more than can be answered the workers stay busy, and at
// ten times that 99 of 100 answers take at most twice what they take without load,
// from the first second on; after it a burst is answered again.
func TestLastingOverload(t *testing.T) {
	const lasts = 40 * time.Second
	for _, workers := range []int{1, 2, 8} {
		for _, w := range kindsOfWork {
			r := rand.New(rand.NewPCG(3, uint64(workers)))
			alone := p99(simulate(t, fresh(workers), testTimeout, w.steady(r, 0.1, workers, 0, lasts)))
			for _, times := range []float64{1.2, 2, 5, 10, 20} {
				if times*float64(workers)/w.mean.Seconds() > 1500 {
					continue // no more is learnt of it
				}
				t.Run(fmt.Sprintf("%d workers, %s, %g times", workers, w.name, times), func(t *testing.T) {
					list := w.steady(r, times, workers, 0, lasts)
					during := len(list)
					for range testQueue {
						list = append(list, arrival{lasts + testTimeout + 10*time.Second, w.draw(r)})
					}
					all := simulate(t, fresh(workers), testTimeout, list)
					inTime(t, all[during:])
					var busy time.Duration
					var settled []ended
					for _, e := range all[:during] {
						if !e.refused {
							busy += e.work
						}
						if e.at > lasts/4 {
							settled = append(settled, e)
						}
					}
					share := busy.Seconds() / lasts.Seconds() / float64(workers)
					t.Logf("alone 99 of 100 in %v; %d requests: workers busy %.3f of the time, 99 of 100 in %v, later in %v", alone, during, share, p99(all[:during]), p99(settled))
					// A little beyond the capacity a wait that is bounded lets workers
					// be idle now and then.
					if least := map[bool]float64{false: 0.8, true: 0.95}[times >= 5]; share < least {
						t.Errorf("the workers were busy %.3f of the time, want %g", share, least)
					}
					if times >= 10 {
						if got := p99(settled); got > 2*alone {
							t.Errorf("once it has lasted, 99 of 100 answers took %v, without load %v", got, alone)
						}
					}
				})
			}
		}
	}
}

// TestHopeless: where a wait would not fit into a request's time, no worker's time is
// lost on requests that end before their answer.
func TestHopeless(t *testing.T) {
	var list []arrival
	for i := range 1200 {
		list = append(list, arrival{time.Duration(i) * 250 * time.Millisecond, 2 * time.Second}) // four times what two workers can
	}
	answered, late := 0, 0
	for _, e := range simulate(t, fresh(2), testTimeout, list) {
		switch {
		case e.refused:
		case e.took > testTimeout:
			late++
		default:
			answered++
		}
	}
	if answered < 280 || late > 6 {
		t.Errorf("%d of 300 answered in time, %d late", answered, late)
	}
}
