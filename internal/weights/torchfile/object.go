package torchfile

import (
	"errors"
	"fmt"

	"github.com/groupvit/groupvit/internal/limits"
)

// object handles the operations that in Python would import and call.
func (m *machine) object(op byte) error {
	switch op {
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.pushGlobal(module, name)
	case 0x93: // STACK_GLOBAL
		name, err := m.pop()
		if err != nil {
			return err
		}
		module, err := m.pop()
		if err != nil {
			return err
		}
		n, ok1 := name.(string)
		mod, ok2 := module.(string)
		if !ok1 || !ok2 {
			return errors.New("a global whose name is no text")
		}
		return m.pushGlobal(mod, n)
	case 'i', 'o':
		return errors.New("it would make an instance of an old-style class")
	case 'Q':
		id, err := m.pop()
		if err != nil {
			return err
		}
		s, err := newStorage(id)
		if err == nil {
			m.push(s)
		}
		return err
	case 'b': // BUILD: the state of an object is of no interest
		if _, err := m.pop(); err != nil {
			return err
		}
		_, err := m.top()
		return err
	}
	// REDUCE, NEWOBJ, NEWOBJ_EX: call with arguments.
	if op == 0x92 {
		if _, err := m.pop(); err != nil { // keyword arguments
			return err
		}
	}
	arguments, err := m.pop()
	if err != nil {
		return err
	}
	callee, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := arguments.(*tuple)
	if !ok {
		return errors.New("the arguments of a call are no tuple")
	}
	v, err := call(callee, args.items)
	if err == nil {
		m.push(v)
	}
	return err
}

func (m *machine) pushGlobal(module, name string) error {
	g := global{module, name}
	if !g.isHarmless() {
		return fmt.Errorf("it names %.200q, which no checkpoint of a GroupViT needs: nothing was run; do not load this file elsewhere", g.String())
	}
	m.push(g)
	return nil
}

// call describes what a call would make; it calls nothing.
func call(callee any, args []any) (any, error) {
	g, ok := callee.(global)
	if !ok {
		if _, ok := callee.(opaque); ok {
			return opaque{"result"}, nil
		}
		return nil, errors.New("a call of something that is no global")
	}
	switch {
	case g.isDict():
		return newDict(), nil
	case g.String() == "torch._utils._rebuild_tensor_v2", g.String() == "torch._utils._rebuild_tensor":
		return newTensor(args)
	case g.String() == "torch._utils._rebuild_parameter", g.String() == "torch._utils._rebuild_parameter_with_state":
		if len(args) == 0 {
			return nil, errors.New("a parameter without a tensor")
		}
		return args[0], nil
	}
	return opaque{g.String()}, nil
}

// newStorage reads a persistent id: ("storage", kind, key, place, elements).
func newStorage(id any) (any, error) {
	t, ok := id.(*tuple)
	if !ok || len(t.items) < 5 || t.items[0] != any("storage") {
		return nil, errors.New("a persistent id that is no storage")
	}
	g, ok1 := t.items[1].(global)
	key, ok2 := t.items[2].(string)
	n, ok3 := t.items[4].(int64)
	if !ok1 || !ok2 || !ok3 || n < 0 || n > limits.WeightsBytes {
		return nil, errors.New("a storage that lacks kind, key or size")
	}
	k, ok := kinds[g.name]
	if !ok {
		return opaque{g.String()}, nil // complex, quantised, …: no weight of ours
	}
	return storage{k, key, n}, nil
}

// maxAxes is the largest number of axes of a tensor.
const maxAxes = 16

// newTensor reads (storage, offset, shape, strides, …) and checks that every
// element lies inside the storage.
func newTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor with too few arguments")
	}
	s, ok := args[0].(storage)
	if !ok {
		if o, ok := args[0].(opaque); ok {
			return o, nil
		}
		return nil, errors.New("a tensor without storage")
	}
	offset, ok := args[1].(int64)
	shape, err1 := integers(args[2])
	strides, err2 := integers(args[3])
	if !ok || offset < 0 || offset > s.elements || err1 != nil || err2 != nil || len(shape) != len(strides) {
		return nil, errors.New("a tensor whose offset, shape or strides are wrong")
	}
	elements := int64(1)
	for _, n := range shape {
		if n > limits.TensorElements || n > 0 && elements > limits.TensorElements/n {
			return nil, fmt.Errorf("a tensor of shape %v: %w (%d elements)", shape, limits.ErrTooLarge, limits.TensorElements)
		}
		elements *= n
	}
	if elements > s.elements || elements > 0 && !s.contains(offset, shape, strides) {
		return nil, fmt.Errorf("a tensor of shape %v, offset %d and strides %v lies outside its storage of %d elements", shape, offset, strides, s.elements)
	}
	return &tensor{s, offset, shape, strides}, nil
}

// contains tells whether every element of a view that has some lies inside.
func (s storage) contains(offset int64, shape, strides []int64) bool {
	last := offset
	for i, n := range shape {
		if strides[i] > 0 && n-1 > s.elements/strides[i] {
			return false
		}
		if last += (n - 1) * strides[i]; last >= s.elements {
			return false
		}
	}
	return last < s.elements
}

func integers(v any) ([]int64, error) {
	t, ok := v.(*tuple)
	if !ok || len(t.items) > maxAxes {
		return nil, errors.New("no tuple of a few integers")
	}
	out := make([]int64, len(t.items))
	for i, item := range t.items {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return nil, errors.New("no integers")
		}
		out[i] = n
	}
	return out, nil
}
