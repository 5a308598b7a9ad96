package kerneltest

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Guarded gives slices that end where a page begins that nobody may touch: a kernel that reads or
// writes one element too far dies.
type Guarded struct {
	t *testing.T
	R *rand.Rand
}

// Guard gives slices of numbers drawn from r, until the test ends.
func Guard(t *testing.T, r *rand.Rand) Guarded { return Guarded{t, r} }

// Slice gives n normal numbers.
func (g Guarded) Slice(n int) []float32 {
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		g.t.Skip("no pages to protect: ", err)
	}
	g.t.Cleanup(func() { _ = unix.Munmap(m) })
	if err := unix.Mprotect(m[size:], unix.PROT_NONE); err != nil {
		g.t.Skip("no protected page: ", err)
	}
	if n == 0 {
		return nil
	}
	x := unsafe.Slice((*float32)(unsafe.Pointer(&m[size-4*n])), n)
	for i := range x {
		x[i] = float32(g.R.NormFloat64())
	}
	return x
}
