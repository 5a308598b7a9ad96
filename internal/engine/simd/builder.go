package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
)

// Builder records one computation: its main function, and nothing else.
type Builder struct {
	notimplemented.Builder
	backend  *Backend
	name     string
	main     *Function
	compiled bool
}

var _ compute.Builder = (*Builder)(nil)

func newBuilder(b *Backend, name string) *Builder {
	r := &Builder{Builder: notimplemented.Builder{ErrFn: unknown}, backend: b, name: name}
	r.main = &Function{
		Function: notimplemented.Function{ErrFn: unknown},
		builder:  r,
		shadow:   b.Backend.Builder(name).Main(),
		known:    map[compute.Value]*value{},
	}
	return r
}

// unknown is the error of an operation that the backend does not have; callers fall back to others.
func unknown(op compute.OpType) error {
	return fmt.Errorf("backend %s: %s: %w", Name, op, compute.ErrNotImplemented)
}

// Name implements compute.Builder.
func (b *Builder) Name() string { return b.name }

// Main implements compute.Builder.
func (b *Builder) Main() compute.Function { return b.main }

// NewFunction implements compute.Builder: there are no functions beside main.
func (b *Builder) NewFunction(string) (compute.Function, error) {
	return nil, unknown(compute.OpTypeCall)
}

// OpShape implements compute.Builder.
func (b *Builder) OpShape(v compute.Value) (shapes.Shape, error) { return b.main.Shape(v) }

// Compile implements compute.Builder.
func (b *Builder) Compile() (compute.Executable, error) {
	if b.compiled {
		return nil, fmt.Errorf("compile %q: it is compiled already", b.name)
	}
	if b.main.outputs == nil {
		return nil, fmt.Errorf("compile %q: the main function has not returned", b.name)
	}
	b.compiled = true
	e, err := compile(b)
	b.main.forget()
	if err != nil {
		return nil, fmt.Errorf("compile %q: %w", b.name, err)
	}
	return e, nil
}
