// Package work has what a kernel works with: goroutines that share it, and memory that is used again.
package work

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool is a set of worker goroutines that live as long as it does. It is safe for concurrent use,
// also from inside work that it runs: a caller always works on its own job itself and workers only
// help, so nesting cannot deadlock, and never more than Threads()-1 workers run beside the callers.
// A nil *Pool has one thread.
type Pool struct {
	threads int
	offers  chan *job
	close   sync.Once
}

// job is one call of Run. Parts are claimed one by one; the last to finish releases the caller.
type job struct {
	f     func(part int)
	parts int64
	next  atomic.Int64
	left  atomic.Int64 // parts that are not done
	wait  sync.WaitGroup
	panic atomic.Pointer[any]
}

// NewPool makes a pool of that many threads, the caller's included; 0 or less means one per CPU
// that Go uses (GOMAXPROCS). One thread runs everything in the caller.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
	if threads > 1 {
		p.offers = make(chan *job, 4*threads)
		for range threads - 1 {
			go help(p.offers)
		}
	}
	return p
}

// patience is how often a worker or a caller looks again before it sleeps, a fraction of a
// millisecond: to wake a sleeper takes longer than many a job, and in a network the next job
// follows at once (with 6,000 looks the published network took 1.25 times as long on two threads).
// Every courtesy looks it lets other goroutines run.
const (
	patience = 100_000
	courtesy = 256
)

// help works on offered jobs until the pool is closed. A job that is used up costs nothing.
func help(offers chan *job) {
	for {
		j, open := look(offers)
		if !open {
			return
		}
		j.work()
	}
}

// look takes an offer, watching for a while before it sleeps.
func look(offers chan *job) (j *job, open bool) {
	for i := range patience {
		select {
		case j, open = <-offers:
			return j, open
		default:
		}
		if i%courtesy == courtesy-1 {
			runtime.Gosched()
		}
	}
	j, open = <-offers
	return j, open
}

// Threads is how many goroutines work on one call, the caller's included.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Close ends the workers. No Run may be going on or come after it.
func (p *Pool) Close() {
	if p != nil && p.offers != nil {
		p.close.Do(func() { close(p.offers) })
	}
}

// Run calls f(0) … f(parts-1), each once, on up to Threads() goroutines in no fixed order, and
// returns when all are done. A panic in f comes out of Run.
func (p *Pool) Run(parts int, f func(part int)) {
	if p == nil || p.threads == 1 || parts <= 1 {
		for i := range parts {
			f(i)
		}
		return
	}
	j := &job{f: f, parts: int64(parts)}
	j.left.Store(int64(parts))
	j.wait.Add(parts)
offer:
	for range min(p.threads, parts) - 1 {
		select {
		case p.offers <- j:
		default: // every worker has plenty to do
			break offer
		}
	}
	j.work()
	for i := 1; i <= patience && j.left.Load() > 0; i++ {
		if i%courtesy == 0 {
			runtime.Gosched()
		}
	}
	if j.left.Load() > 0 {
		j.wait.Wait()
	}
	if v := j.panic.Load(); v != nil {
		panic(*v)
	}
}

// work claims parts until none is left.
func (j *job) work() {
	for {
		i := j.next.Add(1) - 1
		if i >= j.parts {
			return
		}
		j.one(int(i))
	}
}

func (j *job) one(i int) {
	defer func() {
		if v := recover(); v != nil {
			j.panic.Store(&v)
		}
		j.left.Add(-1)
		j.wait.Done()
	}()
	j.f(i)
}

// For splits 0..n into ranges of at least grain and calls f(lo, hi) for each, as Run does.
// Ranges start at multiples of 16 elements or of grain, whichever is larger.
func (p *Pool) For(n, grain int, f func(lo, hi int)) {
	if n <= 0 {
		return
	}
	t := p.Threads()
	if grain < 1 {
		grain = 1
	}
	if t == 1 || n < 2*grain {
		f(0, n)
		return
	}
	// Two ranges a thread: evens out a core that is slower or busy elsewhere.
	size := max(grain, (n+2*t-1)/(2*t))
	if n <= 8*t {
		size = grain // few and large, as heads are: one by one, or threads end far apart
	}
	if size > 16 {
		size = (size + 15) &^ 15
	}
	parts := (n + size - 1) / size
	p.Run(parts, func(i int) { f(i*size, min(n, (i+1)*size)) })
}
