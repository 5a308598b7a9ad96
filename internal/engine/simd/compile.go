package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/gemm"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// compiler turns nodes into steps.
type compiler struct {
	backend *Backend
	pool    *work.Pool
	views   map[*value]view
	copies  map[*value]view // row-major copies of views that are not
	slots   []*slot
	steps   []step
	pending []*node // wait for an island
	// now is a frame in which steps on constants run at once.
	now     *frame
	packed  map[packKey]*gemm.PackedB
	islands int // so far, those that run at execution
}

// step is one thing to do at execution.
type step struct {
	name          string
	reads, writes []*slot
	run           func(f *frame) error
	flop          float64 // of products, convolutions and attention
	packed        int     // bytes of a packed weight, which is no slot
	// over lists pairs of slots: the first, written here, may lie where the second, read here, lies.
	over [][2]*slot
}

// compile lowers a builder's computation.
func compile(b *Builder) (*Executable, error) {
	c := &compiler{backend: b.backend, pool: b.backend.pool, views: map[*value]view{}, copies: map[*value]view{},
		now: &frame{}, packed: map[packKey]*gemm.PackedB{}}
	b.backend.shared.sweep()
	e := &Executable{backend: b.backend, name: b.name}
	for i, p := range b.main.parameters {
		v := p.values[0]
		s := c.slot(v.dtype(), v.size())
		s.kind, s.index = parameter, i
		c.views[v] = whole(s, v.dims())
		e.inputs = append(e.inputs, v.shape)
		e.names = append(e.names, p.attr.(string))
		e.parameters = append(e.parameters, s)
	}
	fuse(b.main)
	for _, u := range cluster(absorb(live(b.main))) {
		if err := c.lower(u); err != nil {
			return nil, err
		}
	}
	if err := c.outputs(e, b.main.outputs); err != nil {
		return nil, err
	}
	plan(c, e)
	return e, nil
}

// lower emits the steps of a unit.
func (c *compiler) lower(u *unit) error {
	n := u.nodes[0]
	switch {
	case n.op == compute.OpTypeParameter:
		return nil
	case n.op == compute.OpTypeConstant:
		v := n.values[0]
		if err := n.verify(); err != nil {
			return err
		}
		s := c.slot(v.dtype(), v.size())
		c.makeConstant(s, n.attr)
		s.content = n.content
		c.views[v] = whole(s, v.dims())
		return nil
	case elementwise(n):
		ok, err := c.lowerElementwise(u)
		if ok || err != nil {
			return err
		}
	default:
		if lowering := lowerings[n.op]; lowering != nil {
			ok, err := lowering(c, n)
			if ok || err != nil {
				return err
			}
		}
	}
	for _, n := range u.nodes {
		if n.replay == nil {
			return fmt.Errorf("%s: no kernel, and the plain Go backend lacks it", n.op)
		}
	}
	c.pending = append(c.pending, u.nodes...)
	return nil
}

// lowering emits the steps of a node, or says false, having done nothing, if the plain Go backend must run it.
type lowering func(c *compiler, n *node) (bool, error)

// lowerings by operation; filled by the lower_*.go files.
var lowerings = map[compute.OpType]lowering{}

// slot makes a new piece of memory.
func (c *compiler) slot(dtype dtypes.DType, size int) *slot {
	s := &slot{id: len(c.slots), dtype: dtype, size: size}
	c.slots = append(c.slots, s)
	c.now.grow()
	return s
}

// view gives where a value lies; values of nodes that wait for an island are computed first.
func (c *compiler) view(v *value) (view, error) {
	if r, ok := c.views[v]; ok {
		return r, nil
	}
	if err := c.island(); err != nil {
		return view{}, err
	}
	r, ok := c.views[v]
	if !ok {
		return view{}, fmt.Errorf("%s: its value was not computed", v.node.op)
	}
	return r, nil
}

// dense is view for who needs the elements row-major without gaps.
func (c *compiler) dense(v *value) (view, error) {
	r, err := c.view(v)
	if err != nil || r.dense() {
		return r, err
	}
	if d, ok := c.copies[v]; ok {
		return d, nil
	}
	d := c.result(v)
	if err := c.copyStep(d, r); err != nil {
		return view{}, err
	}
	c.copies[v] = d
	return d, nil
}

// result is a new place for a value, not yet its view.
func (c *compiler) result(v *value) view {
	return whole(c.slot(v.dtype(), v.size()), v.dims())
}

// define makes a new place the view of a value.
func (c *compiler) define(v *value) view {
	r := c.result(v)
	c.views[v] = r
	return r
}

// emit adds a step, or runs it at once if it reads nothing but constants.
func (c *compiler) emit(s step) error {
	for _, r := range s.reads {
		if r.kind != constant {
			c.steps = append(c.steps, s)
			return nil
		}
	}
	for _, w := range s.writes {
		c.makeConstant(w, dtypes.MakeAnySlice(w.dtype, w.size))
	}
	return s.run(c.now)
}

// makeConstant gives a slot its data for good.
func (c *compiler) makeConstant(s *slot, data any) {
	s.kind, s.data = constant, data
	c.now.set(s, data)
}

// outputs sees to it that each output has a slot of its own.
func (c *compiler) outputs(e *Executable, values []*value) error {
	for i, v := range values {
		r, err := c.view(v)
		if err != nil {
			return err
		}
		if r.slot.kind != inArena || !r.covers() {
			own := c.result(v)
			s, err := c.copying(own, r)
			if err != nil {
				return err
			}
			c.steps = append(c.steps, s) // at each execution, even of a constant
			r = own
		}
		r.slot.kind, r.slot.index = output, i
		e.outputs = append(e.outputs, v.shape)
		e.results = append(e.results, r.slot)
	}
	return nil
}
