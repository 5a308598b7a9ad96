package train

import (
	"math"
	"path"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/network"
)

// Kinds of tensors that Optimizer.NoDecay may name.
const (
	positions    = "positions"
	groupTokens  = "group_tokens"
	temperatures = "temperatures"
	embeddings   = "embeddings"
)

var noDecayKinds = []string{positions, groupTokens, temperatures, embeddings}

// decays tells whether weight decay applies to a tensor: not to biases and
// tensors of one axis (the official rule, which leaves it on for temperatures,
// positions and group tokens), nor to the kinds that the settings name.
func (o Optimizer) decays(p network.Param) bool {
	if !p.Decay {
		return false
	}
	kind := ""
	switch {
	case strings.Contains(p.Name, "position_embedding"):
		kind = positions
	case strings.HasSuffix(p.Name, ".group_token"):
		kind = groupTokens
	case len(p.Shape) == 0:
		kind = temperatures
	case strings.HasSuffix(p.Name, "token_embedding.weight"):
		kind = embeddings
	}
	return !slices.Contains(o.NoDecay, kind)
}

// frozen tells whether training leaves a tensor as it is.
func (o Optimizer) frozen(name string) bool {
	matches := func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }
	return slices.ContainsFunc(o.Freeze, matches) || len(o.TrainOnly) > 0 && !slices.ContainsFunc(o.TrainOnly, matches)
}

// trains tells whether training changes a parameter by its gradient.
func (t *Stepper) trains(p network.Param) bool {
	return p.Trainable && !t.settings.Optimizer.frozen(p.Name)
}

// emaDecay is the decay of the averages at update n, from 1: shorter at the
// start, so that the average forgets the random weights (Tan and Le's
// EfficientNet, after TensorFlow's ExponentialMovingAverage).
func (o Optimizer) emaDecay(n int) float64 {
	return min(o.EMA, (1+float64(n))/(10+float64(n)))
}

// corrections are AdamW's bias corrections of update t, from 1: what the
// moments are divided by.
func (o Optimizer) corrections(t int) (first, second float64) {
	return 1 - math.Pow(o.Betas[0], float64(t)), 1 - math.Pow(o.Betas[1], float64(t))
}

// clip scales the gradients so that their global L2 norm is at most limit, and
// returns the norm before. As in PyTorch, 1e-6 stands in the denominator.
func clip(gradients []*Node, limit float64) (norm *Node, scaled []*Node) {
	var sum *Node
	for _, g := range gradients {
		s := ReduceAllSum(Square(g))
		if sum == nil {
			sum = s
		} else {
			sum = Add(sum, s)
		}
	}
	norm = Sqrt(sum)
	if limit <= 0 {
		return norm, gradients
	}
	scale := MinScalar(Div(Scalar(norm.Graph(), norm.DType(), limit), AddScalar(norm, 1e-6)), 1.0)
	scaled = make([]*Node, len(gradients))
	for i, g := range gradients {
		scaled[i] = Mul(g, scale)
	}
	return norm, scaled
}

// adamW is one update of a tensor (Loshchilov and Hutter, ICLR 2019, as PyTorch
// computes it): weight decay first, with the learning rate; then the step.
// rate, first and second are scalars; first and second the bias corrections.
func (o Optimizer) adamW(w, m, v, g, rate, first, second *Node, decay bool) (newW, newM, newV *Node) {
	newM = Add(MulScalar(m, o.Betas[0]), MulScalar(g, 1-o.Betas[0]))
	newV = Add(MulScalar(v, o.Betas[1]), MulScalar(Square(g), 1-o.Betas[1]))
	root := AddScalar(Div(Sqrt(newV), Sqrt(second)), o.Epsilon)
	step := Mul(Div(newM, root), Div(rate, first))
	if decay && o.WeightDecay > 0 {
		w = Mul(w, OneMinus(MulScalar(rate, o.WeightDecay)))
	}
	return Sub(w, step), newM, newV
}
