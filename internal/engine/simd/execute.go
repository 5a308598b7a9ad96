package simd

import (
	"fmt"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Executable is a compiled computation. It may be executed from several goroutines at once.
type Executable struct {
	backend         *Backend
	name            string
	names           []string
	inputs, outputs []shapes.Shape
	parameters      []*slot
	results         []*slot // by output
	slots           []*slot
	steps           []step
	bytes           int // of the arena
	finalized       bool
	explanation     explanation
}

var _ compute.Executable = (*Executable)(nil)

// Finalize implements compute.Executable.
func (e *Executable) Finalize() {
	e.backend.arenas.forget(e)
	e.finalized, e.steps, e.slots = true, nil, nil
}

// Inputs implements compute.Executable.
func (e *Executable) Inputs() (names []string, shapes []shapes.Shape) { return e.names, e.inputs }

// Outputs implements compute.Executable.
func (e *Executable) Outputs() []shapes.Shape { return e.outputs }

// Execute implements compute.Executable.
func (e *Executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	if e.finalized || e.backend.IsFinalized() {
		return nil, fmt.Errorf("execute %q: it is finalized, or its backend is", e.name)
	}
	in, err := e.check(inputs, donate)
	if err != nil {
		return nil, fmt.Errorf("execute %q: %w", e.name, err)
	}
	a := e.backend.arenas.take(e.bytes)
	defer e.backend.arenas.give(a)
	f := a.frames[e]
	if f == nil {
		f = e.frame(a)
		a.frames[e] = f
	}
	defer e.release(f)
	for i, p := range e.parameters {
		f.set(p, in[i].flat)
	}
	out := e.place(f, in, donate)
	err = e.run(f)
	for i, d := range donate {
		if d {
			in[i].flat, in[i].shape = nil, shapes.Invalid()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("execute %q: %w", e.name, err)
	}
	return out, nil
}

// check wants inputs of the right number, shapes and backend.
func (e *Executable) check(inputs []compute.Buffer, donate []bool) ([]*Buffer, error) {
	if len(inputs) != len(e.inputs) || len(donate) != 0 && len(donate) != len(inputs) {
		return nil, fmt.Errorf("%d inputs and %d donations for %d parameters", len(inputs), len(donate), len(e.inputs))
	}
	in := make([]*Buffer, len(inputs))
	for i, x := range inputs {
		u, ok := x.(*Buffer)
		switch {
		case !ok || u == nil || u.backend != e.backend:
			return nil, fmt.Errorf("input %q is not a buffer of this backend", e.names[i])
		case u.flat == nil:
			return nil, fmt.Errorf("input %q is finalized, or was given away", e.names[i])
		case !u.shape.Equal(e.inputs[i]):
			return nil, fmt.Errorf("input %q has shape %s, want %s", e.names[i], u.shape, e.inputs[i])
		}
		in[i] = u
	}
	return in, nil
}

// frame makes the executable's view of an arena.
func (e *Executable) frame(a *arena) *frame {
	n := len(e.slots)
	f := &frame{flat: make([]any, n), floats: make([][]float32, n), bools: make([][]bool, n), given: map[*Buffer]int{}}
	base := unsafe.Pointer(unsafe.SliceData(a.memory))
	for _, s := range e.slots {
		switch {
		case s.kind == constant && s.data != nil:
			f.set(s, s.data)
		case s.kind == inArena && s.first >= 0:
			f.set(s, dtypes.UnsafeAnySliceFromBytes(unsafe.Add(base, s.place), s.dtype, s.size))
		}
	}
	return f
}

// place makes the outputs, in memory that the caller gives away where that is possible.
func (e *Executable) place(f *frame, in []*Buffer, donate []bool) []compute.Buffer {
	for i, d := range donate {
		if d {
			f.given[in[i]] = 0
		}
	}
	if len(f.given) > 0 {
		for _, u := range in {
			if n, ok := f.given[u]; ok {
				f.given[u] = n + 1
			}
		}
	}
	out := make([]compute.Buffer, len(e.results))
	for i, s := range e.results {
		var u *Buffer
		if p := s.reuse; p != nil && len(donate) > 0 && donate[p.index] && f.given[in[p.index]] == 1 {
			u = &Buffer{backend: e.backend, shape: e.outputs[i].Clone(), flat: in[p.index].flat}
		} else {
			u = e.backend.newBuffer(e.outputs[i])
		}
		f.set(s, u.flat)
		out[i] = u
	}
	clear(f.given)
	return out
}

// run does the steps. A kernel that panics does so because the compiler made a mistake; that is an error here.
func (e *Executable) run(f *frame) (err error) {
	at := 0
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("step %d (%s): %v", at, e.steps[at].name, v)
		}
	}()
	if explainAfter > 0 || e.backend.profile.on.Load() {
		return e.explanation.run(e, f)
	}
	for i := range e.steps {
		at = i
		if err := e.steps[i].run(f); err != nil {
			return fmt.Errorf("step %d (%s): %w", i, e.steps[i].name, err)
		}
	}
	return nil
}

// release lets go of the caller's memory.
func (e *Executable) release(f *frame) {
	clear(f.operands[:cap(f.operands)])
	for _, list := range [][]*slot{e.parameters, e.results} {
		for _, s := range list {
			f.flat[s.id], f.floats[s.id], f.bools[s.id] = nil, nil, nil
		}
	}
}
