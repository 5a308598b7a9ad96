package stepper

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// trains tells whether training changes a parameter by its gradient.
func (t *Stepper) trains(p network.Param) bool {
	return p.Trainable && !t.settings.Optimizer.Frozen(p.Name)
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
func adamW(o settings.Optimizer, w, m, v, g, rate, first, second *Node, decay bool) (newW, newM, newV *Node) {
	newM = Add(MulScalar(m, o.Betas[0]), MulScalar(g, 1-o.Betas[0]))
	newV = Add(MulScalar(v, o.Betas[1]), MulScalar(Square(g), 1-o.Betas[1]))
	root := AddScalar(Div(Sqrt(newV), Sqrt(second)), o.Epsilon)
	step := Mul(Div(newM, root), Div(rate, first))
	if decay && o.WeightDecay > 0 {
		w = Mul(w, OneMinus(MulScalar(rate, o.WeightDecay)))
	}
	return Sub(w, step), newM, newV
}
