package simd

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
)

// Function records the nodes of a computation.
type Function struct {
	notimplemented.Function
	builder *Builder
	// shadow is a function of the plain Go backend on which each call is repeated.
	shadow compute.Function
	// known finds our value for a shadow's: the shadow merges equal nodes, and so do we.
	known      map[compute.Value]*value
	nodes      []*node
	parameters []*node
	outputs    []*value
}

var _ compute.Function = (*Function)(nil)

// node is one recorded operation.
type node struct {
	index  int // in order of recording, which is an order of dependency
	op     compute.OpType
	inputs []*value // nil where an optional input was left out
	values []*value // what it computes
	attr   any      // what the lowering must know, by operation (ops_*.go); the data of a constant
	// content is the fingerprint of a large constant.
	content fingerprint
	replay  replay // nil for what the plain Go backend lacks
}

// replay calls the operation on a function of the plain Go backend.
type replay func(f compute.Function, in []compute.Value) ([]compute.Value, error)

// value is one result of a node.
type value struct {
	node   *node
	shape  shapes.Shape
	shadow compute.Value
	users  []*node // filled by Compile, one entry a use
	output bool    // of the computation
}

func (v *value) dims() []int         { return v.shape.Dimensions }
func (v *value) dtype() dtypes.DType { return v.shape.DType }
func (v *value) size() int           { return v.shape.Size() }

// cast checks that values are this function's; nil stays nil.
func (f *Function) cast(op compute.OpType, in []compute.Value) ([]*value, error) {
	if f.builder.compiled || f.outputs != nil {
		return nil, fmt.Errorf("%s: the computation %q is complete", op, f.builder.name)
	}
	out := make([]*value, len(in))
	for i, v := range in {
		if v == nil {
			continue
		}
		x, ok := v.(*value)
		if !ok || x == nil || x.node.index >= len(f.nodes) || f.nodes[x.node.index] != x.node {
			return nil, fmt.Errorf("%s: input %d is not a value of the computation %q", op, i, f.builder.name)
		}
		out[i] = x
	}
	return out, nil
}

// record repeats an operation on the shadow and keeps it as a node. Equal operations give one node.
func (f *Function) record(op compute.OpType, attr any, r replay, in ...compute.Value) ([]compute.Value, error) {
	inputs, err := f.cast(op, in)
	if err != nil {
		return nil, err
	}
	shadows := make([]compute.Value, len(in))
	for i, v := range inputs {
		if v != nil {
			shadows[i] = v.shadow
		}
	}
	results, err := r(f.shadow, shadows)
	if err != nil {
		return nil, err
	}
	if known, ok := f.known[results[0]]; ok && len(results) == 1 {
		return []compute.Value{known}, nil
	}
	return f.keep(&node{op: op, inputs: inputs, attr: attr, replay: r}, results)
}

// keep adds a node whose results stand on the shadow.
func (f *Function) keep(n *node, results []compute.Value) ([]compute.Value, error) {
	n.index = len(f.nodes)
	out := make([]compute.Value, len(results))
	for i, s := range results {
		shape, err := f.shadow.Shape(s)
		if err != nil {
			return nil, err
		}
		v := &value{node: n, shape: shape, shadow: s}
		n.values = append(n.values, v)
		f.known[s] = v
		out[i] = v
	}
	f.nodes = append(f.nodes, n)
	return out, nil
}

// record1 is record for operations of one result.
func (f *Function) record1(op compute.OpType, attr any, r replay, in ...compute.Value) (compute.Value, error) {
	out, err := f.record(op, attr, r, in...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// one wraps the result of an operation for a replay.
func one(v compute.Value, err error) ([]compute.Value, error) { return []compute.Value{v}, err }

// Name implements compute.Function.
func (f *Function) Name() string { return compute.MainName }

// Builder implements compute.Function.
func (f *Function) Builder() compute.Builder { return f.builder }

// Shape implements compute.Function.
func (f *Function) Shape(v compute.Value) (shapes.Shape, error) {
	x, ok := v.(*value)
	if !ok || x == nil {
		return shapes.Invalid(), fmt.Errorf("shape of a %T, which is not a value of backend %s", v, Name)
	}
	return x.shape, nil
}

// Parameter implements compute.Function.
func (f *Function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	if _, err := f.cast(compute.OpTypeParameter, nil); err != nil {
		return nil, err
	}
	if shape.IsDynamic() || sharding != nil {
		return nil, fmt.Errorf("parameter %q of shape %s: dynamic shapes and sharding: %w", name, shape, compute.ErrNotImplemented)
	}
	s, err := f.shadow.Parameter(name, shape, nil)
	if err != nil {
		return nil, err
	}
	out, err := f.keep(&node{op: compute.OpTypeParameter, attr: name}, []compute.Value{s})
	if err != nil {
		return nil, err
	}
	f.parameters = append(f.parameters, out[0].(*value).node)
	return out[0], nil
}

// placeholder is a value of the shadow that stands for one that it cannot compute, or need not.
func (f *Function) placeholder(shape shapes.Shape) (compute.Value, error) {
	return f.shadow.Parameter(fmt.Sprintf("placeholder %d", len(f.known)), shape, nil)
}

// Constant implements compute.Function. The shadow gets a placeholder for large ones: it compares
// constants element by element.
func (f *Function) Constant(flat any, dims ...int) (compute.Value, error) {
	if _, err := f.cast(compute.OpTypeConstant, nil); err != nil {
		return nil, err
	}
	t := reflect.TypeOf(flat)
	if t == nil || t.Kind() != reflect.Slice || dtypes.FromGoType(t.Elem()) == dtypes.InvalidDType {
		return nil, fmt.Errorf("constant: the data is a %T, want a slice of numbers", flat)
	}
	shape := shapes.Make(dtypes.FromGoType(t.Elem()), dims...)
	if n := length(flat); n != shape.Size() {
		return nil, fmt.Errorf("constant of shape %s: the data has %d elements, want %d", shape, n, shape.Size())
	}
	const large = 1024
	var s compute.Value
	var err error
	if shape.Size() < large {
		s, err = f.shadow.Constant(flat, dims...)
	} else {
		s, err = f.placeholder(shape)
	}
	if err != nil {
		return nil, err
	}
	if known, ok := f.known[s]; ok {
		return known, nil
	}
	data, content := record(shape.DType, flat)
	out, err := f.keep(&node{op: compute.OpTypeConstant, attr: data, content: content}, []compute.Value{s})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Return implements compute.Function.
func (f *Function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	if len(outputs) == 0 {
		return fmt.Errorf("return from %q: no outputs", f.builder.name)
	}
	for _, s := range shardings {
		if s != nil {
			return fmt.Errorf("return from %q: sharding: %w", f.builder.name, compute.ErrNotImplemented)
		}
	}
	values, err := f.cast(compute.OpTypeInvalid, outputs)
	if err != nil {
		return fmt.Errorf("return from %q: %w", f.builder.name, err)
	}
	if slices.Contains(values, nil) {
		return fmt.Errorf("return from %q: an output is nil", f.builder.name)
	}
	f.outputs = values
	for _, v := range values {
		v.output = true
	}
	return nil
}

// forget lets go of what only Compile needs, constants above all: callers keep their values, which know their shapes.
func (f *Function) forget() {
	for _, n := range f.nodes {
		n.attr, n.replay, n.inputs = nil, nil, nil
		for _, v := range n.values {
			v.shadow, v.users = nil, nil
		}
	}
	f.nodes, f.known, f.shadow, f.parameters = nil, nil, nil, nil
}
