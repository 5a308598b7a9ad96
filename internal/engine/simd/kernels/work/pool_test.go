package work

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestPoolRunsEachPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 9} {
		pool := NewPool(threads)
		for parts := range 40 {
			seen := make([]atomic.Int32, parts)
			pool.Run(parts, func(i int) { seen[i].Add(1) })
			for i := range seen {
				if n := seen[i].Load(); n != 1 {
					t.Fatalf("%d threads: part %d of %d ran %d times", threads, i, parts, n)
				}
			}
		}
		pool.Close()
		pool.Close()
	}
}

func TestPoolForCoversTheRange(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	for _, n := range []int{0, 1, 15, 16, 17, 1000, 4097} {
		for _, grain := range []int{0, 1, 7, 100, 5000} {
			seen := make([]atomic.Int32, n)
			pool.For(n, grain, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					seen[i].Add(1)
				}
			})
			for i := range seen {
				if seen[i].Load() != 1 {
					t.Fatalf("%d elements by %d: element %d was done %d times", n, grain, i, seen[i].Load())
				}
			}
		}
	}
}

// TestPoolNestsAndShares has eight sessions on one pool of three, each with work inside work.
func TestPoolNestsAndShares(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	var running, most, total atomic.Int64
	var sessions sync.WaitGroup
	for range 8 {
		sessions.Go(func() {
			for range 50 {
				pool.Run(4, func(int) {
					pool.Run(5, func(int) {
						now := running.Add(1)
						for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
						}
						total.Add(1)
						running.Add(-1)
					})
				})
			}
		})
	}
	sessions.Wait()
	if total.Load() != 8*50*20 {
		t.Errorf("%d parts ran, not %d", total.Load(), 8*50*20)
	}
	if most.Load() > 8+2 {
		t.Errorf("%d ran at once: more than the sessions and the workers", most.Load())
	}
}

func TestPoolPanicComesOut(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	defer func() {
		if v := recover(); v != "broken" {
			t.Errorf("Run panicked with %v", v)
		}
		pool.Run(3, func(int) {}) // still works
	}()
	pool.Run(8, func(i int) {
		if i == 5 {
			panic("broken")
		}
	})
}

func TestNilPool(t *testing.T) {
	var p *Pool
	n := 0
	p.Run(3, func(int) { n++ })
	p.For(4, 1, func(lo, hi int) { n += hi - lo })
	p.Close()
	if n != 7 || p.Threads() != 1 {
		t.Errorf("a nil pool did %d of 7 on %d threads", n, p.Threads())
	}
}

func BenchmarkPool(b *testing.B) {
	pool := NewPool(2)
	defer pool.Close()
	for b.Loop() {
		pool.Run(2, func(int) {})
	}
}
