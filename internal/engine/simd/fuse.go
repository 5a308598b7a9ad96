package simd

import (
	"maps"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// Operations that Compile makes of several recorded ones; elementwise but for the last.
const (
	opGeluGradient      = compute.OpTypeLast + 1 + iota // (x, dy) → dy·GELU'(x)
	opQuickGelu                                         // x → x·sigmoid(1.702·x)
	opQuickGradient                                     // (x, dy) → dy·QuickGELU'(x)
	opMaxGradient                                       // (x, dy) → dy where x ≥ 0 or NaN, else dy·0
	opSumOfSquares                                      // x → Σ x², over all of it
	opFoldedConvolution                                 // a convolution and what follows it (fuse_conv.go)
)

// fused are the instructions of the elementwise ones.
var fused = map[compute.OpType]vector.Instruction{
	opGeluGradient:  {Do: vector.DoGradient, Op: uint8(vector.GELU)},
	opQuickGelu:     {Do: vector.DoUnary, Op: uint8(vector.Quick)},
	opQuickGradient: {Do: vector.DoGradient, Op: uint8(vector.QuickGELU)},
	opMaxGradient:   {Do: vector.DoMaxGradient},
}

// fuse replaces what automatic differentiation writes out in single operations by one operation that has a kernel.
// Only the node of the result is replaced; the others go with the dead code, unless somebody else needs them.
func fuse(f *Function) {
	for i, n := range f.nodes {
		for _, r := range rewrites {
			if n.op != r.root {
				continue
			}
			m := matches{}
			if !r.pattern(m, n.values[0]) || !r.fits(n.values[0], m[r.inputs[0]]) {
				continue
			}
			g := &node{index: i, op: r.op, values: n.values}
			for _, name := range r.inputs {
				g.inputs = append(g.inputs, m[name])
			}
			n.values[0].node = g
			f.nodes[i] = g
			break
		}
	}
}

// rewrite is a pattern and what stands for it.
type rewrite struct {
	op      compute.OpType
	root    compute.OpType
	pattern pattern
	inputs  []string
}

// fits reports whether the input is float32, and the result has the shape that goes with it.
func (r rewrite) fits(result, input *value) bool {
	if input.dtype() != dtypes.Float32 {
		return false
	}
	if r.op == opSumOfSquares {
		return result.shape.Rank() == 0
	}
	return result.shape.Equal(input.shape)
}

var rewrites = func() []rewrite {
	x, dy := is("x"), is("dy")
	// GELU(x) = x·Φ(x), Φ(x) = (erf(x/√2) + 1)/2, and its slope Φ(x) + x·φ(x).
	t := times(x, number(1/math.Sqrt2))
	cdf := times(sum(apply(compute.OpTypeErf, t), number(1)), number(0.5))
	bell := times(apply(compute.OpTypeExp, apply(compute.OpTypeNeg, times(t, t))), number(2/math.Sqrt(math.Pi)))
	gelu := sum(times(dy, cdf), times(times(times(times(dy, x), number(0.5)), bell), number(1/math.Sqrt2)))
	// QuickGELU(x) = x·s, s = sigmoid(1.702·x).
	s := apply(compute.OpTypeLogistic, times(x, number(1.702)))
	slope := times(s, minus(number(1), s))
	quick := sum(times(dy, s), times(times(times(dy, x), slope), number(1.702)))
	// The slope of max(x, 0) is written as sign(sign(x − 0) + 1).
	sign := func(x pattern) pattern { return apply(compute.OpTypeSign, x) }
	maxGradient := times(dy, sign(sum(sign(minus(x, number(0))), number(1))))
	// The squares of a gradient, whose norm it is clipped by, need not go to memory.
	squares := apply(compute.OpTypeReduceSum, times(x, x))
	return []rewrite{
		{opGeluGradient, compute.OpTypeAdd, gelu, []string{"x", "dy"}},
		{opQuickGradient, compute.OpTypeAdd, quick, []string{"x", "dy"}},
		{opQuickGelu, compute.OpTypeMul, times(x, s), []string{"x"}},
		{opMaxGradient, compute.OpTypeMul, maxGradient, []string{"x", "dy"}},
		{opSumOfSquares, compute.OpTypeReduceSum, squares, []string{"x"}},
	}
}()

// pattern reports whether a value is computed in some way, and notes the values at its open places.
type pattern func(m matches, v *value) bool

// matches are the values at a pattern's open places, by name.
type matches map[string]*value

// is matches any value, and the same one at each place of the name.
func is(name string) pattern {
	return func(m matches, v *value) bool {
		if known, ok := m[name]; ok {
			return known == v
		}
		m[name] = v
		return true
	}
}

// apply matches an operation of one operand.
func apply(op compute.OpType, x pattern) pattern {
	return func(m matches, v *value) bool { return v.node.op == op && x(m, v.node.inputs[0]) }
}

// minus matches a difference.
func minus(a, b pattern) pattern {
	return func(m matches, v *value) bool {
		return v.node.op == compute.OpTypeSub && a(m, v.node.inputs[0]) && b(m, v.node.inputs[1])
	}
}

// times and sum match products and sums, whose operands may stand either way round.
func times(a, b pattern) pattern { return commute(compute.OpTypeMul, a, b) }
func sum(a, b pattern) pattern   { return commute(compute.OpTypeAdd, a, b) }

func commute(op compute.OpType, a, b pattern) pattern {
	return func(m matches, v *value) bool {
		if v.node.op != op {
			return false
		}
		x, y := v.node.inputs[0], v.node.inputs[1]
		tried := maps.Clone(m)
		if a(tried, x) && b(tried, y) {
			maps.Copy(m, tried)
			return true
		}
		return a(m, y) && b(m, x)
	}
}

// number matches a constant of one element, also where it is broadcast or reshaped.
func number(want float64) pattern {
	return func(_ matches, v *value) bool {
		for {
			switch v.node.op {
			case compute.OpTypeBroadcastInDim, compute.OpTypeReshape:
				v = v.node.inputs[0]
				continue
			case compute.OpTypeConstant:
				x, ok := v.node.attr.([]float32)
				return ok && len(x) == 1 && math.Abs(float64(x[0])-want) <= 1e-6*math.Abs(want)
			}
			return false
		}
	}
}
