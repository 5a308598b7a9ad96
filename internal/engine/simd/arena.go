package simd

import (
	"sync"
	"unsafe"
)

// arena is memory for the intermediate results of one execution at a time, of any executable that fits.
type arena struct {
	memory []byte // starts at a cache line
	// frames are the executables' views of it.
	frames map[*Executable]*frame
}

func newArena(size int) *arena {
	b := make([]byte, size+63)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & 63)
	return &arena{memory: b[skip : skip+size], frames: map[*Executable]*frame{}}
}

// arenas holds the free arenas of a backend: as many as there were executions at once.
type arenas struct {
	mutex sync.Mutex
	free  []*arena
}

// take gives the smallest free arena that has the size, or makes one in place of the largest that has not.
func (a *arenas) take(size int) *arena {
	a.mutex.Lock()
	best := -1
	for i, x := range a.free {
		better := best < 0
		if !better {
			n, m := len(x.memory), len(a.free[best].memory)
			better = n >= size && (m < size || n < m) || n < size && m < size && n > m
		}
		if better {
			best = i
		}
	}
	var r *arena
	if best >= 0 {
		r = a.free[best]
		last := len(a.free) - 1
		a.free[best], a.free[last] = a.free[last], nil
		a.free = a.free[:last]
	}
	a.mutex.Unlock()
	if r == nil || len(r.memory) < size {
		r = newArena(size)
	}
	return r
}

func (a *arenas) give(x *arena) {
	a.mutex.Lock()
	a.free = append(a.free, x)
	a.mutex.Unlock()
}

// forget lets go of what the free arenas know of an executable.
func (a *arenas) forget(e *Executable) {
	a.mutex.Lock()
	for _, x := range a.free {
		delete(x.frames, e)
	}
	a.mutex.Unlock()
}

func (a *arenas) drop() {
	a.mutex.Lock()
	a.free = nil
	a.mutex.Unlock()
}
