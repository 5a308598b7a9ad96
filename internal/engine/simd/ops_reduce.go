package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// What the lowerings must know of reductions.
type (
	reduceAttr []int // the axes; none means all
	argAttr    struct {
		axis int
		min  bool
	}
)

// reduce records a reduction.
func (f *Function) reduce(op compute.OpType, call func(compute.Function, compute.Value, ...int) (compute.Value, error), x compute.Value, axes []int) (compute.Value, error) {
	axes = slices.Clone(axes)
	return f.record1(op, reduceAttr(axes), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(call(f, in[0], axes...))
	}, x)
}

// The methods below implement compute.Function's reductions.

func (f *Function) ReduceBitwiseAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceBitwiseAnd, compute.Function.ReduceBitwiseAnd, x, axes)
}
func (f *Function) ReduceBitwiseOr(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceBitwiseOr, compute.Function.ReduceBitwiseOr, x, axes)
}
func (f *Function) ReduceBitwiseXor(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceBitwiseXor, compute.Function.ReduceBitwiseXor, x, axes)
}
func (f *Function) ReduceLogicalAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalAnd, compute.Function.ReduceLogicalAnd, x, axes)
}
func (f *Function) ReduceLogicalOr(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalOr, compute.Function.ReduceLogicalOr, x, axes)
}
func (f *Function) ReduceLogicalXor(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalXor, compute.Function.ReduceLogicalXor, x, axes)
}
func (f *Function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceMax, compute.Function.ReduceMax, x, axes)
}
func (f *Function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceMin, compute.Function.ReduceMin, x, axes)
}
func (f *Function) ReduceProduct(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceProduct, compute.Function.ReduceProduct, x, axes)
}
func (f *Function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceSum, compute.Function.ReduceSum, x, axes)
}

// ArgMinMax implements compute.Function.
func (f *Function) ArgMinMax(x compute.Value, axis int, output dtypes.DType, isMin bool) (compute.Value, error) {
	return f.record1(compute.OpTypeArgMinMax, argAttr{axis, isMin}, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.ArgMinMax(in[0], axis, output, isMin))
	}, x)
}

// ReduceWindow implements compute.Function.
func (f *Function) ReduceWindow(x compute.Value, kind compute.ReduceOpType, window, strides, inputDilations, windowDilations []int, paddings [][2]int) (compute.Value, error) {
	window, strides, paddings = slices.Clone(window), slices.Clone(strides), slices.Clone(paddings)
	inputDilations, windowDilations = slices.Clone(inputDilations), slices.Clone(windowDilations)
	return f.record1(compute.OpTypeReduceWindow, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.ReduceWindow(in[0], kind, window, strides, inputDilations, windowDilations, paddings))
	}, x)
}

// SelectAndScatterMax implements compute.Function.
func (f *Function) SelectAndScatterMax(x, source compute.Value, window, strides []int, paddings [][2]int) (compute.Value, error) {
	window, strides, paddings = slices.Clone(window), slices.Clone(strides), slices.Clone(paddings)
	return f.record1(compute.OpTypeSelectAndScatterMax, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.SelectAndScatterMax(in[0], in[1], window, strides, paddings))
	}, x, source)
}

// SelectAndScatterMin implements compute.Function.
func (f *Function) SelectAndScatterMin(x, source compute.Value, window, strides []int, paddings [][2]int) (compute.Value, error) {
	window, strides, paddings = slices.Clone(window), slices.Clone(strides), slices.Clone(paddings)
	return f.record1(compute.OpTypeSelectAndScatterMin, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.SelectAndScatterMin(in[0], in[1], window, strides, paddings))
	}, x, source)
}

// RNGBitGenerator implements compute.Function.
func (f *Function) RNGBitGenerator(state compute.Value, shape shapes.Shape) (newState, values compute.Value, err error) {
	shape = shape.Clone()
	out, err := f.record(compute.OpTypeRNGBitGenerator, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		s, v, err := f.RNGBitGenerator(in[0], shape)
		return []compute.Value{s, v}, err
	}, state)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}
