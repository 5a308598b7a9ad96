package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
)

// Attributes of nodes.

func integer(name string, x int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(int64(x))}
}

func integers(name string, x ...int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: wide(x)}
}

func float(name string, x float64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOAT.Enum(), F: proto.Float32(float32(x))}
}

func text(name, x string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(x)}
}

// Elementwise operators; sizes are broadcast as NumPy does.

func (s scope) add(a, b value) value  { return s.node("Add", []value{a, b}) }
func (s scope) sub(a, b value) value  { return s.node("Sub", []value{a, b}) }
func (s scope) mul(a, b value) value  { return s.node("Mul", []value{a, b}) }
func (s scope) div(a, b value) value  { return s.node("Div", []value{a, b}) }
func (s scope) min(a, b value) value  { return s.node("Min", []value{a, b}) }
func (s scope) max(a, b value) value  { return s.node("Max", []value{a, b}) }
func (s scope) sqrt(x value) value    { return s.node("Sqrt", []value{x}) }
func (s scope) relu(x value) value    { return s.node("Relu", []value{x}) }
func (s scope) sigmoid(x value) value { return s.node("Sigmoid", []value{x}) }

func (s scope) scale(x value, by float64) value { return s.mul(x, s.number(by)) }

// atMost is a <= b, and only if both are.
func (s scope) atMost(a, b value) value   { return s.node("LessOrEqual", []value{a, b}) }
func (s scope) both(a, b value) value     { return s.node("And", []value{a, b}) }
func (s scope) where(c, a, b value) value { return s.node("Where", []value{c, a, b}) }

func (s scope) float(x value) value {
	return s.node("Cast", []value{x}, integer("to", int(onnxpb.TensorProto_FLOAT)))
}

// gelu is x/2 · (1 + erf(x/√2)); opset 17 has no operator for it.
func (s scope) gelu(x value) value {
	e := s.node("Erf", []value{s.div(x, s.number(math.Sqrt2))})
	return s.scale(s.mul(x, s.add(e, s.number(1))), 0.5)
}

// Products and what goes along axes.

func (s scope) matMul(a, b value) value { return s.node("MatMul", []value{a, b}) }

func (s scope) softmax(x value, along int) value {
	return s.node("Softmax", []value{x}, integer("axis", along))
}

// argMax is the first of the largest; the axis goes.
func (s scope) argMax(x value, along int) value {
	return s.node("ArgMax", []value{x}, integer("axis", along), integer("keepdims", 0))
}

// oneHot puts a new axis of so many classes at a place.
func (s scope) oneHot(x value, classes, at int) value {
	off := s.numbers("off_on", []float32{0, 1}, 2)
	return s.node("OneHot", []value{x, s.integers(classes), off}, integer("axis", at))
}

func (s scope) sum(x value, keep bool, axes ...int) value {
	return s.node("ReduceSum", []value{x, s.integers(axes...)}, integer("keepdims", one(keep)))
}

func (s scope) mean(x value, keep bool, axes ...int) value {
	return s.node("ReduceMean", []value{x}, integers("axes", axes...), integer("keepdims", one(keep)))
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unit divides by the L2 norm of the last axis, at least 1e-12.
func (s scope) unit(x value) value {
	norm := s.node("ReduceL2", []value{x}, integers("axes", -1), integer("keepdims", 1))
	return s.div(x, s.max(norm, s.number(1e-12)))
}

// layerNorm is over the last axis.
func (s scope) layerNorm(x, weight, bias value) value {
	return s.node("LayerNormalization", []value{x, weight, bias}, integer("axis", -1), float("epsilon", network.LayerNormEpsilon))
}

// convolve slides a kernel [out, in, side, side] over x [B, in, H, W].
func (s scope) convolve(x, kernel, bias value, side, stride, padding int) value {
	return s.node("Conv", []value{x, kernel, bias}, integers("kernel_shape", side, side), integers("strides", stride, stride),
		integers("pads", padding, padding, padding, padding))
}

// Shapes.

// reshape takes sizes; 0 is the size that x has there, -1 what remains.
func (s scope) reshape(x value, sizes ...int) value { return s.reshapeTo(x, s.integers(sizes...)) }

func (s scope) reshapeTo(x, sizes value) value { return s.node("Reshape", []value{x, sizes}) }

func (s scope) transpose(x value, axes ...int) value {
	return s.node("Transpose", []value{x}, integers("perm", axes...))
}

func (s scope) concat(axis int, x ...value) value {
	return s.node("Concat", x, integer("axis", axis))
}

// slice takes from each of the axes what lies from a bound to another; negative
// ones count from the end.
func (s scope) slice(x, from, to, axes value) value {
	return s.node("Slice", []value{x, from, to, axes})
}

func (s scope) squeeze(x value, axes ...int) value {
	return s.node("Squeeze", []value{x, s.integers(axes...)})
}

func (s scope) unsqueeze(x value, axes ...int) value {
	return s.node("Unsqueeze", []value{x, s.integers(axes...)})
}

// sizes are those of the axes from one up to, without it, another.
func (s scope) sizes(x value, from, to int) value {
	return s.node("Shape", []value{x}, integer("start", from), integer("end", to))
}

func (s scope) expand(x, sizes value) value { return s.node("Expand", []value{x, sizes}) }

// bicubicMatrix is the [out, in] matrix of PyTorch's bicubic resize along one axis:
// align_corners false, no antialiasing, a = -0.75, indices clamped; out is [1]. It is
// the unit matrix, resized: programs take long to resize what has hundreds of channels.
func (s scope) bicubicMatrix(in int, out value) value {
	unit := make([]float32, in*in)
	for i := range in {
		unit[i*in+i] = 1
	}
	sizes := s.concat(0, s.integers(1, 1), out, s.integers(in))
	m := s.node("Resize", []value{s.numbers(fmt.Sprintf("unit_%d", in), unit, 1, 1, in, in), "", "", sizes},
		text("mode", "cubic"), float("cubic_coeff_a", -0.75), text("coordinate_transformation_mode", "half_pixel"), integer("exclude_outside", 0))
	return s.reshape(m, -1, in)
}
