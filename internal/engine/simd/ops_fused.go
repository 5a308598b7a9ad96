package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// What the lowerings must know of fused operations.
type (
	softmaxAttr int  // the axis
	geluAttr    bool // exact, by erf
	denseAttr   struct {
		compute.DenseConfig
		act vector.Activation // that Compile found, beside the configured one
	}
	layerNormAttr struct {
		axes    []int
		epsilon float64
	}
)

// FusedSoftmax implements compute.Function.
func (f *Function) FusedSoftmax(x compute.Value, axis int) (compute.Value, error) {
	return f.record1(compute.OpTypeFusedSoftmax, softmaxAttr(axis), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.FusedSoftmax(in[0], axis))
	}, x)
}

// FusedGelu implements compute.Function.
func (f *Function) FusedGelu(x compute.Value, exact bool) (compute.Value, error) {
	return f.record1(compute.OpTypeFusedGelu, geluAttr(exact), func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.FusedGelu(in[0], exact))
	}, x)
}

// FusedLayerNorm implements compute.Function.
func (f *Function) FusedLayerNorm(x compute.Value, axes []int, epsilon float64, gamma, beta compute.Value) (compute.Value, error) {
	axes = slices.Clone(axes)
	return f.record1(compute.OpTypeFusedLayerNorm, layerNormAttr{axes, epsilon}, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.FusedLayerNorm(in[0], axes, epsilon, in[1], in[2]))
	}, x, gamma, beta)
}

// FusedDense implements compute.Function.
func (f *Function) FusedDense(x, weight, bias compute.Value, config compute.DenseConfig) (compute.Value, error) {
	return f.record1(compute.OpTypeFusedDense, denseAttr{DenseConfig: config}, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.FusedDense(in[0], in[1], in[2], config))
	}, x, weight, bias)
}

// FusedAttentionQKVProjection implements compute.Function.
func (f *Function) FusedAttentionQKVProjection(x, w, biasQ, biasK, biasV compute.Value, queryDim, keyValueDim int) (query, key, value compute.Value, err error) {
	out, err := f.record(compute.OpTypeFusedAttentionQKVProjection, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		q, k, v, err := f.FusedAttentionQKVProjection(in[0], in[1], in[2], in[3], in[4], queryDim, keyValueDim)
		return []compute.Value{q, k, v}, err
	}, x, w, biasQ, biasK, biasV)
	if err != nil {
		return nil, nil, nil, err
	}
	return out[0], out[1], out[2], nil
}

// quantized gives the values inside a quantization and a function that puts others in their place.
func quantized(q *compute.Quantization) (in []compute.Value, with func(in []compute.Value) *compute.Quantization, err error) {
	if q == nil {
		return nil, nil, fmt.Errorf("backend %s: the quantization is nil", Name)
	}
	own := *q
	return []compute.Value{q.Scale, q.ZeroPoint}, func(in []compute.Value) *compute.Quantization {
		c := own
		c.Scale, c.ZeroPoint = in[0], in[1]
		return &c
	}, nil
}

// FusedQuantizedDense implements compute.Function.
func (f *Function) FusedQuantizedDense(x, weights, bias compute.Value, q *compute.Quantization, activation compute.ActivationType) (compute.Value, error) {
	scales, with, err := quantized(q)
	if err != nil {
		return nil, err
	}
	return f.record1(compute.OpTypeFusedQuantizedDense, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.FusedQuantizedDense(in[0], in[1], in[2], with(in[3:]), activation))
	}, append([]compute.Value{x, weights, bias}, scales...)...)
}

// QuantizedEmbeddingLookup implements compute.Function.
func (f *Function) QuantizedEmbeddingLookup(data, indices compute.Value, q *compute.Quantization) (compute.Value, error) {
	scales, with, err := quantized(q)
	if err != nil {
		return nil, err
	}
	return f.record1(compute.OpTypeQuantizedEmbeddingLookup, nil, func(f compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(f.QuantizedEmbeddingLookup(in[0], in[1], with(in[2:])))
	}, append([]compute.Value{data, indices}, scales...)...)
}
