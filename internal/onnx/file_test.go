package onnx

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
	"github.com/groupvit/groupvit/internal/weights"
)

// decode reads a file back, as another program does.
func decode(t testing.TB, file []byte, err error) *onnxpb.ModelProto {
	t.Helper()
	m := &onnxpb.ModelProto{}
	if err == nil {
		err = proto.Unmarshal(file, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFiles: what is written of every kind of network is a graph: each value is made
// once and before it is used, each stored tensor has the data that its shape says, is
// used, and, of the paper's parameters, carries the name that the checkpoint has.
func TestFiles(t *testing.T) {
	for name, c := range configs() {
		m := drawn(c)
		for _, o := range []Options{{}, {Height: 20, Width: 30, Normalised: true}, {Height: 16, Width: 16, Batch: 2, Half: true}} {
			t.Run(fmt.Sprintf("%s %+v", name, o), func(t *testing.T) {
				file, err := Image(m, o)
				image := decode(t, file, err)
				checkGraph(t, image.Graph)
				file, err = Text(m, o)
				text := decode(t, file, err)
				checkGraph(t, text.Graph)
				checkParameters(t, c, image.Graph, text.Graph)
			})
		}
	}
}

func checkGraph(t *testing.T, g *onnxpb.GraphProto) {
	t.Helper()
	made, used := map[string]bool{}, map[string]bool{}
	enter := func(name string) {
		if name == "" || made[name] {
			t.Errorf("%q is made twice, or has no name", name)
		}
		made[name] = true
	}
	for _, in := range g.Input {
		enter(in.GetName())
	}
	for _, s := range g.Initializer {
		enter(s.GetName())
		size := map[onnxpb.TensorProto_DataType]int{onnxpb.TensorProto_FLOAT: 4, onnxpb.TensorProto_FLOAT16: 2, onnxpb.TensorProto_INT64: 8}[onnxpb.TensorProto_DataType(s.GetDataType())]
		for _, d := range s.Dims {
			size *= int(d)
		}
		if size == 0 || len(s.RawData) != size {
			t.Errorf("%s %v has %d bytes, not %d", s.GetName(), s.Dims, len(s.RawData), size)
		}
	}
	names := map[string]bool{}
	for _, n := range g.Node {
		if names[n.GetName()] {
			t.Errorf("two nodes %s", n.GetName())
		}
		names[n.GetName()] = true
		for _, in := range n.Input {
			if in != "" && !made[in] {
				t.Errorf("%s takes %s, which is not there yet", n.GetName(), in)
			}
			used[in] = true
		}
		for _, out := range n.Output {
			enter(out)
		}
	}
	for _, out := range g.Output {
		if used[out.GetName()] = true; !made[out.GetName()] {
			t.Errorf("no output %s", out.GetName())
		}
	}
	for name := range made {
		if !used[name] {
			t.Errorf("%s is used nowhere", name)
		}
	}
}

// checkParameters: the graphs have every parameter of the network but the
// temperatures and what is folded.
func checkParameters(t *testing.T, c network.Config, graphs ...*onnxpb.GraphProto) {
	t.Helper()
	stored := map[string]bool{}
	for _, g := range graphs {
		for _, s := range g.Initializer {
			stored[strings.TrimSuffix(s.GetName(), ".half")] = true
		}
	}
	params := c.Params()
	for _, p := range params {
		isNorm := slices.ContainsFunc(params, func(q network.Param) bool {
			module := p.Name[:strings.LastIndexByte(p.Name, '.')+1]
			return module != "" && q.Name == module+"running_mean"
		})
		ofTraining := strings.HasPrefix(p.Name, contextName+".naming.")
		if !isNorm && !ofTraining && len(p.Shape) > 0 && !stored[p.Name] {
			t.Errorf("parameter %s is not there", p.Name)
		}
	}
}

// TestMetadata: the file says what a program must know, and its inputs and outputs
// have the axes that are documented.
func TestMetadata(t *testing.T) {
	m := open(t, "../../models/default")
	file, err := Image(m, Options{Name: "mine", License: "mit", Version: "v1"})
	image := decode(t, file, err)
	got := map[string]string{}
	for _, p := range image.MetadataProps {
		got[p.GetKey()] = p.GetValue()
	}
	for key, want := range map[string]string{
		"model": "mine", "license": "mit", "mean": "[0.45,0.45,0.45]", "std": "[0.25,0.25,0.25]", "patch_size": "8",
		"image_size": "80", "map": "patches", "pixels": "0..1", "sha256": m.SHA256,
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	scale, err := strconv.ParseFloat(got["logit_scale"], 64)
	if want := math.Exp(float64(m.Tensors["logit_scale"][0])); err != nil || math.Abs(scale-want) > 1e-6*want {
		t.Errorf("logit_scale is %q, want %g", got["logit_scale"], want)
	}
	if !strings.HasPrefix(got["eval"], `{"short_side":128,"squash":true`) {
		t.Errorf("eval is %.40q", got["eval"])
	}
	if image.GetIrVersion() != 8 || len(image.OpsetImport) != 1 || image.OpsetImport[0].GetVersion() != 17 || image.GetProducerVersion() != "v1" {
		t.Errorf("%d, %v, %s", image.GetIrVersion(), image.OpsetImport, image.GetProducerVersion())
	}
	want := []string{"pixels [batch 3 height width]", "image [batch 128]", "patches [batch 128 rows columns]"}
	if axes := declared(image.Graph); !slices.Equal(axes, want) {
		t.Errorf("%q", axes)
	}
	file, err = Image(m, Options{Height: 96, Width: 100, Batch: 2})
	want = []string{"pixels [2 3 96 100]", "image [2 128]", "patches [2 128 12 12]"}
	if axes := declared(decode(t, file, err).Graph); !slices.Equal(axes, want) {
		t.Errorf("%q", axes)
	}
	file, err = Text(m, Options{})
	if axes := declared(decode(t, file, err).Graph); !slices.Equal(axes, []string{"ids [texts length]", "text [texts 128]"}) {
		t.Errorf("%q", axes)
	}
}

// declared are inputs and outputs with their axes.
func declared(g *onnxpb.GraphProto) []string {
	var all []string
	for _, v := range slices.Concat(g.Input, g.Output) {
		var axes []string
		for _, d := range v.GetType().GetTensorType().GetShape().Dim {
			if axis := d.GetDimParam(); axis != "" {
				axes = append(axes, axis)
			} else {
				axes = append(axes, fmt.Sprint(d.GetDimValue()))
			}
		}
		all = append(all, fmt.Sprint(v.GetName(), " ", axes))
	}
	return all
}

// The same model gives the same bytes, and half of them in half precision.
func TestBytes(t *testing.T) {
	m := open(t, "../../models/default")
	first, err := Text(m, Options{})
	second, err2 := Text(m, Options{})
	if err := errors.Join(err, err2); err != nil || !slices.Equal(first, second) {
		t.Errorf("%v, %d and %d bytes", err, len(first), len(second))
	}
	half, err := Text(m, Options{Half: true})
	if err != nil || len(half) > len(first)*55/100 {
		t.Errorf("%v, %d bytes of %d", err, len(half), len(first))
	}
}

func TestRefusals(t *testing.T) {
	change := func(f func(m *weights.Model)) *weights.Model {
		m := drawn(small())
		f(m)
		return m
	}
	fine := drawn(small())
	for name, c := range map[string]struct {
		m    *weights.Model
		o    Options
		err  error
		want string
	}{
		"config":      {change(func(m *weights.Model) { m.Config.Heads = []int{3} }), Options{}, network.ErrConfig, "3 heads"},
		"no tensor":   {change(func(m *weights.Model) { delete(m.Tensors, "vision_model.layernorm.bias") }), Options{}, ErrExport, `"vision_model.layernorm.bias" has 0`},
		"half":        {change(func(m *weights.Model) { m.Tensors["visual_projection.3.weight"][0] = 1e6 }), Options{Half: true}, ErrExport, "half precision ends at 65504"},
		"no number":   {change(func(m *weights.Model) { m.Tensors["visual_projection.1.running_var"][0] = -1 }), Options{}, ErrExport, "damaged"},
		"below patch": {fine, Options{Height: 3, Width: 16}, ErrExport, "4 (one patch)"},
		"one side":    {fine, Options{Width: 16}, ErrExport, "0×16"},
		"too large":   {fine, Options{Height: 4096, Width: 4096}, limits.ErrTooLarge, "16384"},
		"batch":       {fine, Options{Batch: -1}, ErrExport, "0 for any"},
	} {
		if _, err := Image(c.m, c.o); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKnownVariants: every option that a network can have is known here, and one
// that is not is refused by its key.
func TestKnownVariants(t *testing.T) {
	var keys func(of reflect.Type, prefix string) []string
	keys = func(of reflect.Type, prefix string) (all []string) {
		for _, f := range reflect.VisibleFields(of) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Type.Kind() == reflect.Struct {
				all = append(all, keys(f.Type, prefix+key+".")...)
			} else {
				all = append(all, prefix+key)
			}
		}
		return all
	}
	got, want := keys(reflect.TypeFor[network.Variant](), ""), slices.Clone(known)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the network has %q, known are %q: teach the graphs a new option, then name it", got, want)
	}
	for variant, key := range map[string]string{`{"map":"both","twist":1}`: "groupvit_variant.twist", `{"stem":{"channels":[1],"dilation":2}}`: "groupvit_variant.stem.dilation"} {
		if err := checkKeys([]byte(variant)); !errors.Is(err, ErrExport) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", variant, err)
		}
	}
}
