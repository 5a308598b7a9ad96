package onnx

import (
	"math"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// tower carries what every layer needs; its methods build the graph. They are
// those of the network package's tower, in inference.
type tower struct {
	*graph
	model  *weights.Model
	config network.Config
	shapes map[string][]int // of the parameters
}

func newTower(g *graph, m *weights.Model) *tower {
	t := &tower{graph: g, model: m, config: m.Config, shapes: map[string][]int{}}
	for _, p := range m.Config.Params() {
		t.shapes[p.Name] = p.Shape
	}
	return t
}

// param is a parameter as the checkpoint has it.
func (t *tower) param(name string) value {
	return t.parameter(name, "", func() []float32 { return t.model.Tensors[name] }, t.shapes[name]...)
}

// linear is y = x·Wᵀ + b over the last axis.
func (t *tower) linear(name string, x value) value { return t.linearNorm(name, "", x) }

// linearNorm is a linear layer and the BatchNorm after it, if it names one.
func (t *tower) linearNorm(name, norm string, x value) value {
	weight, bias := name+".weight", name+".bias"
	w, b := t.folded(norm, weight, bias)
	shape := t.shapes[weight]
	about := "transposed to [in, out]" + foldedIn(norm)
	kernel := t.parameter(weight, about, func() []float32 { return transposed(w(), shape[0], shape[1]) }, shape[1], shape[0])
	s := t.at(name)
	return s.add(s.matMul(x, kernel), t.parameter(bias, "", b, shape[0]))
}

func transposed(x []float32, rows, columns int) []float32 {
	out := make([]float32, len(x))
	for r := range rows {
		for c := range columns {
			out[c*rows+r] = x[r*columns+c]
		}
	}
	return out
}

func foldedIn(norm string) string {
	if norm == "" {
		return ""
	}
	return "; " + norm + " folded in"
}

// folded are the weight [out, …] and the bias [out] of a layer with the BatchNorm
// that follows: γ/√(variance + ε) · (W·x + b − mean) + β. Without one they are the
// checkpoint's. bias may be "".
func (t *tower) folded(norm, weight, bias string) (w, b func() []float32) {
	tensors := t.model.Tensors
	if norm == "" {
		return func() []float32 { return tensors[weight] }, func() []float32 { return tensors[bias] }
	}
	gain := func(o int) float64 {
		return float64(tensors[norm+".weight"][o]) / math.Sqrt(float64(tensors[norm+".running_var"][o])+network.LayerNormEpsilon)
	}
	out := t.shapes[weight][0]
	w = func() []float32 {
		all := tensors[weight]
		scaled := make([]float32, len(all))
		each := len(all) / out
		for o := range out {
			k := gain(o)
			for i := o * each; i < (o+1)*each; i++ {
				scaled[i] = float32(float64(all[i]) * k)
			}
		}
		return scaled
	}
	b = func() []float32 {
		moved := make([]float32, out)
		for o := range out {
			before := -float64(tensors[norm+".running_mean"][o])
			if bias != "" {
				before += float64(tensors[bias][o])
			}
			moved[o] = float32(before*gain(o) + float64(tensors[norm+".bias"][o]))
		}
		return moved
	}
	return w, b
}

// norm is LayerNorm over the last axis.
func (t *tower) norm(name string, x value) value {
	return t.at(name).layerNorm(x, t.param(name+".weight"), t.param(name+".bias"))
}

// mlp is linear, GELU (erf), linear.
func (t *tower) mlp(name string, x value) value {
	return t.linear(name+".fc2", t.at(name).gelu(t.linear(name+".fc1", x)))
}

// mixTokens is an mlp over the token axis: [B, L, D] → [B, L', D].
func (t *tower) mixTokens(name string, x value) value {
	s := t.at(name)
	return s.transpose(t.mlp(name, s.transpose(x, 0, 2, 1)), 0, 2, 1)
}

// attend is multi-head attention of query [B, Q, D] to key [B, K, D], which is the
// value too; out names the output layer. mask, if any, is added to the scores
// [B, heads, Q, K].
func (t *tower) attend(name, out string, heads int, query, key, mask value) value {
	s := t.at(name)
	width := t.shapes[name+".q_proj.weight"][0]
	split := func(part string, x value, axes ...int) value {
		return s.transpose(s.reshape(t.linear(name+"."+part, x), 0, 0, heads, width/heads), axes...)
	}
	q := split("q_proj", query, 0, 2, 1, 3)
	k := split("k_proj", key, 0, 2, 3, 1) // transposed for the product
	v := split("v_proj", key, 0, 2, 1, 3)
	scores := s.scale(s.matMul(q, k), 1/math.Sqrt(float64(width/heads)))
	if mask != "" {
		scores = s.add(scores, mask)
	}
	y := s.matMul(s.softmax(scores, -1), v)
	return t.linear(name+"."+out, s.reshape(s.transpose(y, 0, 2, 1, 3), 0, 0, width))
}

// project is a projection head over the last axis: linear, BatchNorm, ReLU, linear
// (paper), or linear, GELU, linear (variant).
func (t *tower) project(name string, x value) value {
	s := t.at(name)
	if t.config.Variant.PlainProjection {
		return t.linear(name+".3", s.gelu(t.linear(name+".0", x)))
	}
	return t.linear(name+".3", s.relu(t.linearNorm(name+".0", name+".1", x)))
}
