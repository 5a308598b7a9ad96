package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// island compiles the nodes that wait into one executable of the plain Go backend, and emits the step that runs it.
func (c *compiler) island() error {
	nodes := c.pending
	c.pending = nil
	if len(nodes) == 0 {
		return nil
	}
	inside := map[*node]bool{}
	for _, n := range nodes {
		inside[n] = true
	}
	b := c.backend.Backend.Builder("island")
	f := b.Main()
	values := map[*value]compute.Value{}
	var in []view
	var results []*value
	var returned []compute.Value
	for _, n := range nodes {
		operands := make([]compute.Value, len(n.inputs))
		for i, v := range n.inputs {
			if v == nil {
				continue
			}
			if values[v] == nil {
				r, err := c.dense(v)
				if err != nil {
					return err
				}
				p, err := f.Parameter(fmt.Sprintf("p%d", len(in)), v.shape, nil)
				if err != nil {
					return err
				}
				values[v], in = p, append(in, r)
			}
			operands[i] = values[v]
		}
		out, err := n.replay(f, operands)
		if err != nil {
			return fmt.Errorf("%s: %w", n.op, err)
		}
		for i, v := range n.values {
			values[v] = out[i]
			if outlives(v, inside) {
				results, returned = append(results, v), append(returned, out[i])
			}
		}
	}
	if err := f.Return(returned, nil); err != nil {
		return err
	}
	x, err := b.Compile()
	if err != nil {
		return err
	}
	return c.islandStep(x, nodes, in, results)
}

// outlives reports whether a value is needed outside of its island.
func outlives(v *value, inside map[*node]bool) bool {
	if v.output {
		return true
	}
	for _, u := range v.users {
		if !inside[u] {
			return true
		}
	}
	return false
}

func (c *compiler) islandStep(x compute.Executable, nodes []*node, in []view, results []*value) error {
	s := step{name: "plain Go:"}
	for _, n := range nodes {
		s.name += " " + n.op.String()
	}
	for _, v := range in {
		s.reads = append(s.reads, v.slot)
	}
	var to []view
	for _, v := range results {
		r := c.define(v)
		to, s.writes = append(to, r), append(s.writes, r.slot)
	}
	number := c.islands
	c.islands++
	plain := c.backend.Backend
	s.run = func(f *frame) error {
		for len(f.islands) <= number {
			f.islands = append(f.islands, nil)
		}
		buffers := &f.islands[number]
		if *buffers == nil {
			_, shapes := x.Inputs()
			for _, shape := range shapes {
				u, _, err := plain.NewSharedBuffer(0, shape)
				if err != nil {
					return err
				}
				*buffers = append(*buffers, u)
			}
		}
		for i, v := range in {
			flat, err := (*buffers)[i].Data()
			if err != nil {
				return err
			}
			copyFlat(flat, f.flat[v.slot.id], v.offset)
		}
		out, err := x.Execute(*buffers, nil, 0)
		if err != nil {
			return err
		}
		for i, v := range to {
			flat, err := out[i].Data()
			if err != nil {
				return err
			}
			copyFlat(f.flat[v.slot.id], flat, 0)
			if err := out[i].Finalize(); err != nil {
				return err
			}
		}
		return nil
	}
	return c.emit(s)
}

// copyFlat fills dst with the elements of src from one on.
func copyFlat(dst, src any, from int) {
	if x, ok := src.([]float32); ok {
		copy(dst.([]float32), x[from:])
		return
	}
	d, s := dtypes.UnsafeByteSliceFromAny(dst), dtypes.UnsafeByteSliceFromAny(src)
	if len(d) == 0 {
		return
	}
	size := len(d)
	if n := length(dst); n > 0 {
		size = len(d) / n
	}
	copy(d, s[from*size:])
}
