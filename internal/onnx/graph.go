package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
	"github.com/groupvit/groupvit/internal/weights/safetensors"
)

// value is the name of a tensor of the graph: an input, a stored one or the
// output of a node.
type value string

// graph collects nodes and stored tensors. A node has one output, under the
// node's own name.
type graph struct {
	proto *onnxpb.GraphProto
	// half stores tensors of two axes and more in half precision; a Cast stands
	// behind each.
	half bool
	// used counts names that were asked for; stored are the tensors by name.
	used   map[string]int
	stored map[string]bool
	// err is the first error.
	err error
}

func newGraph(name string, half bool) *graph {
	return &graph{proto: &onnxpb.GraphProto{Name: proto.String(name)}, half: half, used: map[string]int{}, stored: map[string]bool{}}
}

// at is the scope of a layer's nodes.
func (g *graph) at(layer string) scope { return scope{g, layer} }

// scope puts nodes into a graph under the name of a layer. Its methods are the
// operators (operators.go).
type scope struct {
	*graph
	layer string
}

// node adds a node layer/Operator, with a number where there is one already, and
// returns its output.
func (s scope) node(operator string, inputs []value, attributes ...*onnxpb.AttributeProto) value {
	name := s.layer + "/" + operator
	s.used[name]++
	if n := s.used[name]; n > 1 {
		name = fmt.Sprintf("%s_%d", name, n)
	}
	n := &onnxpb.NodeProto{Name: proto.String(name), OpType: proto.String(operator), Output: []string{name}, Attribute: attributes}
	for _, in := range inputs {
		n.Input = append(n.Input, string(in))
	}
	s.proto.Node = append(s.proto.Node, n)
	return value(name)
}

// axis is an axis of an input or output: a size, or a name where any will do.
type axis struct {
	size int
	name string
}

func fixed(size int) axis { return axis{size: size} }

// input declares an input of the graph.
func (g *graph) input(name, about string, t onnxpb.TensorProto_DataType, shape ...axis) value {
	g.proto.Input = append(g.proto.Input, valueInfo(name, about, t, shape))
	return value(name)
}

// output makes v an output of the graph under a name of its own.
func (g *graph) output(name, about string, v value, shape ...axis) {
	for _, n := range g.proto.Node {
		for _, list := range [][]string{n.Input, n.Output} {
			for i := range list {
				if list[i] == string(v) {
					list[i] = name
				}
			}
		}
	}
	g.proto.Output = append(g.proto.Output, valueInfo(name, about, onnxpb.TensorProto_FLOAT, shape))
}

// prune drops nodes and stored tensors that no output needs: of a network whose map
// and picture come from the patches, what lies above them.
func (g *graph) prune() {
	needed := map[string]bool{}
	for _, out := range g.proto.Output {
		needed[out.GetName()] = true
	}
	for _, n := range slices.Backward(g.proto.Node) { // inputs stand before what takes them
		if needed[n.Output[0]] {
			for _, in := range n.Input {
				needed[in] = true
			}
		}
	}
	g.proto.Node = slices.DeleteFunc(g.proto.Node, func(n *onnxpb.NodeProto) bool { return !needed[n.Output[0]] })
	g.proto.Initializer = slices.DeleteFunc(g.proto.Initializer, func(t *onnxpb.TensorProto) bool { return !needed[t.GetName()] })
}

func valueInfo(name, about string, t onnxpb.TensorProto_DataType, shape []axis) *onnxpb.ValueInfoProto {
	s := &onnxpb.TensorShapeProto{}
	for _, a := range shape {
		d := &onnxpb.TensorShapeProto_Dimension{}
		if a.name != "" {
			d.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: a.name}
		} else {
			d.Value = &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(a.size)}
		}
		s.Dim = append(s.Dim, d)
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), DocString: proto.String(about), Type: &onnxpb.TypeProto{
		Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(t)), Shape: s}},
	}}
}

// parameter stores a tensor of the network, once: make is called where there is
// none of that name yet. about, if not empty, says how the values differ from the
// checkpoint's.
func (g *graph) parameter(name, about string, make func() []float32, shape ...int) value {
	if g.stored[name] {
		return value(name)
	}
	g.stored[name] = true
	t := &onnxpb.TensorProto{Name: proto.String(name), Dims: wide(shape)}
	if about != "" {
		t.DocString = proto.String(about)
	}
	g.proto.Initializer = append(g.proto.Initializer, t)
	values := make()
	if i := slices.IndexFunc(values, notFinite); i >= 0 && g.err == nil {
		g.err = fmt.Errorf("tensor %q gives %g: the weights are damaged", name, values[i])
	}
	if !g.half || len(shape) < 2 {
		setFloats(t, values)
		return value(name)
	}
	t.Name = proto.String(name + ".half")
	if err := setHalves(t, values); err != nil && g.err == nil {
		g.err = fmt.Errorf("tensor %q: %w", name, err)
	}
	g.proto.Node = append(g.proto.Node, &onnxpb.NodeProto{
		Name: proto.String(name), OpType: proto.String("Cast"), Input: []string{t.GetName()}, Output: []string{name},
		Attribute: []*onnxpb.AttributeProto{integer("to", int(onnxpb.TensorProto_FLOAT))},
	})
	return value(name)
}

// numbers stores constants, in full precision whatever the weights are in.
func (g *graph) numbers(name string, values []float32, shape ...int) value {
	if !g.stored[name] {
		g.stored[name] = true
		t := &onnxpb.TensorProto{Name: proto.String(name), Dims: wide(shape)}
		setFloats(t, values)
		g.proto.Initializer = append(g.proto.Initializer, t)
	}
	return value(name)
}

// number is a stored scalar.
func (g *graph) number(x float64) value {
	return g.numbers(fmt.Sprintf("number_%.9g", x), []float32{float32(x)})
}

// integers is a stored list of whole numbers: a shape, axes, bounds.
func (g *graph) integers(x ...int) value {
	name := "integers"
	for _, v := range x {
		name = fmt.Sprintf("%s_%d", name, v)
	}
	return g.wholes(name, x, len(x))
}

// wholes stores whole numbers.
func (g *graph) wholes(name string, x []int, shape ...int) value {
	if !g.stored[name] {
		g.stored[name] = true
		t := &onnxpb.TensorProto{Name: proto.String(name), Dims: wide(shape), DataType: proto.Int32(int32(onnxpb.TensorProto_INT64))}
		for _, v := range x {
			t.RawData = binary.LittleEndian.AppendUint64(t.RawData, uint64(v))
		}
		g.proto.Initializer = append(g.proto.Initializer, t)
	}
	return value(name)
}

func wide(x []int) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = int64(v)
	}
	return out
}

func notFinite(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }

func setFloats(t *onnxpb.TensorProto, values []float32) {
	t.DataType = proto.Int32(int32(onnxpb.TensorProto_FLOAT))
	t.RawData = make([]byte, 0, 4*len(values))
	for _, v := range values {
		t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(v))
	}
}

// maxHalf is the largest finite half-precision number.
const maxHalf = 65504

func setHalves(t *onnxpb.TensorProto, values []float32) error {
	t.DataType = proto.Int32(int32(onnxpb.TensorProto_FLOAT16))
	t.RawData = make([]byte, 0, 2*len(values))
	for _, v := range values {
		if math.Abs(float64(v)) > maxHalf {
			return fmt.Errorf("it has %g, half precision ends at %d: export it in full precision", v, maxHalf)
		}
		t.RawData = binary.LittleEndian.AppendUint16(t.RawData, safetensors.ToF16(v))
	}
	return nil
}
