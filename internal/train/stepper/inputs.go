package stepper

import (
	"errors"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// arguments collects the inputs of one call of a graph, in order. Tensors are
// kept from call to call for each name and shape.
type arguments struct {
	kept map[string]*tensors.Tensor
	list []any
	err  error
}

func (t *Stepper) arguments() *arguments { return &arguments{kept: t.inputs} }

func (a *arguments) floats(name string, data []float32, dims ...int) { fill(a, name, data, dims) }

func (a *arguments) ids(name string, data []int32, dims ...int) { fill(a, name, data, dims) }

func fill[T float32 | int32](a *arguments, name string, data []T, dims []int) {
	x, err := input(a.kept, name, data, dims...)
	a.list, a.err = append(a.list, x), errors.Join(a.err, err)
}

// add adds tensors that are somebody else's.
func (a *arguments) add(list ...finalizer) {
	for _, x := range list {
		a.list = append(a.list, x)
	}
}

// call runs a graph and hands its outputs, which are float32, to use.
func (a *arguments) call(e *model.Exec, use func(outputs [][]float32)) error {
	outputs, err := a.run(e)
	if err != nil {
		return err
	}
	return exceptions.TryCatch[error](func() {
		read := make([][]float32, len(outputs))
		for i, x := range outputs {
			read[i] = tensors.MustCopyFlatData[float32](x)
			x.MustFinalizeAll()
		}
		use(read)
	})
}

// run runs a graph; its outputs are the caller's.
func (a *arguments) run(e *model.Exec) (outputs []*tensors.Tensor, err error) {
	if a.err != nil {
		return nil, a.err
	}
	if caught := exceptions.TryCatch[error](func() { outputs, err = e.Call(a.list...) }); caught != nil {
		return nil, caught
	}
	return outputs, err
}

// input fills a tensor that is kept from step to step for each name and shape.
func input[T float32 | int32](kept map[string]*tensors.Tensor, name string, data []T, dims ...int) (x *tensors.Tensor, err error) {
	key := fmt.Sprint(name, dims)
	err = exceptions.TryCatch[error](func() {
		if x = kept[key]; x != nil {
			tensors.MustMutableFlatData(x, func(flat []T) { copy(flat, data) })
			return
		}
		x = tensors.FromFlatDataAndDimensions(data, dims...)
		kept[key] = x
	})
	return x, err
}

// reader hands out a graph's inputs in order.
type reader struct{ in []*Node }

func (r *reader) next() *Node {
	n := r.in[0]
	r.in = r.in[1:]
	return n
}

// more tells whether there are inputs left.
func (r *reader) more() bool { return len(r.in) > 0 }
