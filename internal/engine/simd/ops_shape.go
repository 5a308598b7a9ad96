package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// What the lowerings must know of the operations that move elements.
type (
	transposeAttr []int // output axis i is input axis attr[i]
	broadcastAttr []int // input axis i is output axis attr[i]
	concatAttr    int   // the axis
	iotaAttr      int   // the axis
	sliceAttr     struct{ starts, strides []int }
	padAttr       []compute.PadAxis
)

// BroadcastInDim implements compute.Function.
func (f *Function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	shape, axes = shape.Clone(), slices.Clone(axes)
	return f.record1(compute.OpTypeBroadcastInDim, broadcastAttr(axes), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.BroadcastInDim(in[0], shape, axes))
	}, x)
}

// Concatenate implements compute.Function.
func (f *Function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeConcatenate, concatAttr(axis), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Concatenate(axis, in...))
	}, operands...)
}

// Iota implements compute.Function.
func (f *Function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	shape = shape.Clone()
	return f.record1(compute.OpTypeIota, iotaAttr(axis), func(f compute.Function, _ []compute.Value) ([]compute.Value, error) {
		return one(f.Iota(shape, axis))
	})
}

// Pad implements compute.Function.
func (f *Function) Pad(x, fill compute.Value, axes ...compute.PadAxis) (compute.Value, error) {
	axes = slices.Clone(axes)
	return f.record1(compute.OpTypePad, padAttr(axes), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Pad(in[0], in[1], axes...))
	}, x, fill)
}

// Reshape implements compute.Function.
func (f *Function) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	dims = slices.Clone(dims)
	return f.record1(compute.OpTypeReshape, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Reshape(in[0], dims...))
	}, x)
}

// Reverse implements compute.Function.
func (f *Function) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	axes = slices.Clone(axes)
	return f.record1(compute.OpTypeReverse, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Reverse(in[0], axes...))
	}, x)
}

// Slice implements compute.Function.
func (f *Function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	starts, limits, strides = slices.Clone(starts), slices.Clone(limits), slices.Clone(strides)
	return f.record1(compute.OpTypeSlice, sliceAttr{starts, strides}, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Slice(in[0], starts, limits, strides))
	}, x)
}

// Transpose implements compute.Function.
func (f *Function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	permutation = slices.Clone(permutation)
	return f.record1(compute.OpTypeTranspose, transposeAttr(permutation), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Transpose(in[0], permutation...))
	}, x)
}

// OptimizationBarrier implements compute.Function.
func (f *Function) OptimizationBarrier(operands ...compute.Value) ([]compute.Value, error) {
	return f.record(compute.OpTypeOptimizationBarrier, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return f.OptimizationBarrier(in...)
	}, operands...)
}

// SchedulingBarrier implements compute.Function.
func (f *Function) SchedulingBarrier(operand compute.Value, dependencies ...compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeSchedulingBarrier, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.SchedulingBarrier(in[0], in[1:]...))
	}, append([]compute.Value{operand}, dependencies...)...)
}
