package kernels

import (
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
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

// TestTileLayout compares the offsets that the generated assembly uses (_generate/product.go).
func TestTileLayout(t *testing.T) {
	var x tile
	for i, o := range []uintptr{
		unsafe.Offsetof(x.a), unsafe.Offsetof(x.b), unsafe.Offsetof(x.c), unsafe.Offsetof(x.bias), unsafe.Offsetof(x.blocks),
		unsafe.Offsetof(x.inner), unsafe.Offsetof(x.outer), unsafe.Offsetof(x.rowA), unsafe.Offsetof(x.colA), unsafe.Offsetof(x.outerA),
		unsafe.Offsetof(x.blockA), unsafe.Offsetof(x.rowB), unsafe.Offsetof(x.outerB), unsafe.Offsetof(x.rowC), unsafe.Offsetof(x.blockC),
		unsafe.Offsetof(x.flags), unsafe.Offsetof(x.alpha), unsafe.Offsetof(x.cursor),
	} {
		if unsafe.Sizeof(uintptr(0)) == 8 && o != uintptr(8*i) {
			t.Errorf("field %d lies at %d, not %d", i, o, 8*i)
		}
	}
}

func TestForceAndSetting(t *testing.T) {
	before := Path()
	undo := Force(Off)
	if Path() != Off {
		t.Errorf("Force(Off) leaves %v", Path())
	}
	undo()
	if Path() != before {
		t.Errorf("undone, the level is %v, not %v", Path(), before)
	}
	for setting, want := range map[string]Level{"off": Off, "avx2": min(AVX2, Best()), "avx512": min(AVX512, Best()), "avx512vnni": min(AVX512VNNI, Best()), "avx512bf16": Best(), "": Best(), "neon": Best()} {
		if got := fromEnvironment(setting); got != want {
			t.Errorf("GROUPVIT_SIMD=%s gives %v, not %v", setting, got, want)
		}
	}
	t.Logf("tested paths: off to %v", Best())
}

func BenchmarkPool(b *testing.B) {
	pool := NewPool(2)
	defer pool.Close()
	for b.Loop() {
		pool.Run(2, func(int) {})
	}
}
