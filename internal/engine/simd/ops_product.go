package simd

import (
	"slices"

	"github.com/gomlx/compute"
)

// What the lowerings must know of products, gathers and scatters.
type (
	dotAttr struct {
		contract, batch [2][]int // axes of the left and of the right operand
		config          compute.DotGeneralConfig
	}
	convAttr struct {
		axes                          compute.ConvolveAxesConfig
		strides                       []int
		paddings                      [][2]int
		inputDilations, kernDilations []int
		channelGroups, batchGroups    int
	}
	gatherAttr struct {
		vectorAxis                          int
		offsetAxes, collapsed, start, sizes []int
	}
	scatterAttr struct {
		vectorAxis                int
		window, inserted, operand []int
	}
)

// DotGeneral implements compute.Function.
func (f *Function) DotGeneral(x compute.Value, xContract, xBatch []int, y compute.Value, yContract, yBatch []int, config compute.DotGeneralConfig) (compute.Value, error) {
	a := dotAttr{
		contract: [2][]int{slices.Clone(xContract), slices.Clone(yContract)},
		batch:    [2][]int{slices.Clone(xBatch), slices.Clone(yBatch)},
		config:   config,
	}
	return f.record1(compute.OpTypeDotGeneral, a, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.DotGeneral(in[0], a.contract[0], a.batch[0], in[1], a.contract[1], a.batch[1], config))
	}, x, y)
}

// ConvGeneral implements compute.Function.
func (f *Function) ConvGeneral(x, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDilations, kernelDilations []int, channelGroups, batchGroups int) (compute.Value, error) {
	a := convAttr{axes.Clone(), slices.Clone(strides), slices.Clone(paddings),
		slices.Clone(inputDilations), slices.Clone(kernelDilations), channelGroups, batchGroups}
	return f.record1(compute.OpTypeConvGeneral, a, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.ConvGeneral(in[0], in[1], a.axes, a.strides, a.paddings, a.inputDilations, a.kernDilations, channelGroups, batchGroups))
	}, x, kernel)
}

// Gather implements compute.Function.
func (f *Function) Gather(x, indices compute.Value, vectorAxis int, offsetAxes, collapsed, start, sizes []int, sorted bool) (compute.Value, error) {
	a := gatherAttr{vectorAxis, slices.Clone(offsetAxes), slices.Clone(collapsed), slices.Clone(start), slices.Clone(sizes)}
	return f.record1(compute.OpTypeGather, a, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.Gather(in[0], in[1], vectorAxis, a.offsetAxes, a.collapsed, a.start, a.sizes, sorted))
	}, x, indices)
}

// scatter records a scatter.
func (f *Function) scatter(op compute.OpType,
	call func(compute.Function, compute.Value, compute.Value, compute.Value, int, []int, []int, []int, bool, bool) (compute.Value, error),
	x, indices, updates compute.Value, vectorAxis int, window, inserted, operand []int, sorted, unique bool) (compute.Value, error) {
	a := scatterAttr{vectorAxis, slices.Clone(window), slices.Clone(inserted), slices.Clone(operand)}
	return f.record1(op, a, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(call(f, in[0], in[1], in[2], vectorAxis, a.window, a.inserted, a.operand, sorted, unique))
	}, x, indices, updates)
}

// ScatterMax implements compute.Function.
func (f *Function) ScatterMax(x, indices, updates compute.Value, vectorAxis int, window, inserted, operand []int, sorted, unique bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeScatterMax, compute.Function.ScatterMax, x, indices, updates, vectorAxis, window, inserted, operand, sorted, unique)
}

// ScatterMin implements compute.Function.
func (f *Function) ScatterMin(x, indices, updates compute.Value, vectorAxis int, window, inserted, operand []int, sorted, unique bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeScatterMin, compute.Function.ScatterMin, x, indices, updates, vectorAxis, window, inserted, operand, sorted, unique)
}

// ScatterSum implements compute.Function.
func (f *Function) ScatterSum(x, indices, updates compute.Value, vectorAxis int, window, inserted, operand []int, sorted, unique bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeScatterSum, compute.Function.ScatterSum, x, indices, updates, vectorAxis, window, inserted, operand, sorted, unique)
}
