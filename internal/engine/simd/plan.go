package simd

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
)

// plan finds out how long each slot lives, and gives those in the arena a place. Slots that live at different times
// share memory; a step's result lies where its operand lay if the step allows it and nobody reads the operand later.
func plan(c *compiler, e *Executable) {
	for _, s := range c.slots {
		s.first, s.last = -1, -1
	}
	touch := func(s *slot, i int) {
		if s.first < 0 {
			s.first = i
		}
		s.last = i
	}
	for i, s := range c.steps {
		for _, r := range s.reads {
			touch(r, i)
		}
		for _, w := range s.writes {
			touch(w, i)
		}
	}
	for _, r := range e.results {
		r.last = len(c.steps)
	}
	e.slots, e.steps = c.slots, c.steps
	e.bytes = places(c.steps)
	reuseParameters(e)
	for _, s := range c.slots {
		switch {
		case s.kind != constant:
		case s.last < 0:
			s.data = nil // packed, or used up while compiling
		case s.content != (fingerprint{}):
			s.data = c.backend.shared.constant(s.data.([]float32), s.content) // the memory is the caller's
		}
	}
}

// bytesOf is a slot's room, in whole cache lines.
func bytesOf(s *slot) int { return (s.dtype.SizeForDimensions(s.size) + 63) &^ 63 }

// places allots the arena and returns its size.
func places(steps []step) int {
	m := &room{}
	for i, s := range steps {
		taken := map[*slot]bool{}
		for _, w := range s.writes {
			if w.kind != inArena || w.first != i || w.size == 0 {
				continue
			}
			over := slices.IndexFunc(s.over, func(p [2]*slot) bool {
				r := p[1]
				return p[0] == w && r.kind == inArena && r.last == i && !taken[r] && r.size == w.size && r.dtype == w.dtype
			})
			if over >= 0 {
				r := s.over[over][1]
				taken[r] = true
				w.place = r.place
				continue
			}
			w.place = m.take(bytesOf(w))
		}
		done := map[*slot]bool{}
		for _, list := range [][]*slot{s.reads, s.writes} {
			for _, r := range list {
				if r.kind == inArena && r.last == i && !taken[r] && !done[r] && r.size > 0 {
					done[r] = true
					m.give(r.place, bytesOf(r))
				}
			}
		}
	}
	return m.size
}

// room is an arena while it is allotted: the free stretches below its size, in order.
type room struct {
	size int
	free []stretch
}

type stretch struct{ from, to int }

// take finds the smallest stretch that fits.
func (m *room) take(n int) int {
	best := -1
	for i, s := range m.free {
		if size := s.to - s.from; size >= n && (best < 0 || size < m.free[best].to-m.free[best].from) {
			best = i
		}
	}
	if best >= 0 {
		at := m.free[best].from
		m.free[best].from += n
		if m.free[best].from == m.free[best].to {
			m.free = slices.Delete(m.free, best, best+1)
		}
		return at
	}
	at := m.size
	if l := len(m.free) - 1; l >= 0 && m.free[l].to == m.size { // grow the last one
		at = m.free[l].from
		m.free = m.free[:l]
	}
	m.size = at + n
	return at
}

// give returns a stretch.
func (m *room) give(at, n int) {
	i, _ := slices.BinarySearchFunc(m.free, at, func(s stretch, at int) int { return s.from - at })
	m.free = slices.Insert(m.free, i, stretch{at, at + n})
	if i+1 < len(m.free) && m.free[i].to == m.free[i+1].from {
		m.free[i].to = m.free[i+1].to
		m.free = slices.Delete(m.free, i+1, i+2)
	}
	if i > 0 && m.free[i-1].to == m.free[i].from {
		m.free[i-1].to = m.free[i].to
		m.free = slices.Delete(m.free, i, i+1)
	}
}

// reuseParameters finds for each output a parameter in whose memory it may lie if the caller gives that away: one
// that is read for the last time before the output is written, or by the very step, where that allows it.
func reuseParameters(e *Executable) {
	taken := map[*slot]bool{}
	fits := func(w, p *slot) bool {
		return p.kind == parameter && !taken[p] && p.dtype == w.dtype && p.size == w.size
	}
	for i, s := range e.steps {
		for _, pair := range s.over {
			w, p := pair[0], pair[1]
			if w.kind == output && w.reuse == nil && w.first == i && p.last == i && fits(w, p) {
				w.reuse, taken[p] = p, true
			}
		}
	}
	type kind struct {
		dtype dtypes.DType
		size  int
	}
	byKind := map[kind][]*slot{}
	for _, p := range e.parameters {
		k := kind{p.dtype, p.size}
		byKind[k] = append(byKind[k], p)
	}
	for _, w := range e.results {
		if w.reuse != nil {
			continue
		}
		for _, p := range byKind[kind{w.dtype, w.size}] {
			if p.last < w.first && fits(w, p) {
				w.reuse, taken[p] = p, true
				break
			}
		}
	}
}
