package network

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/nn"
)

// Weights returns the graph node of a parameter by its name (see
// [Config.Params]); it panics, as graph code does, on a name it lacks.
type Weights func(name string) *Node

// Mode says whether a graph trains, and where its random numbers come from.
type Mode struct {
	// Training turns on batch statistics, drop path and Gumbel noise.
	Training bool
	// Random returns independent uniform numbers in [0, 1) of a shape. Nil
	// leaves out drop path and noise.
	Random func(shape shapes.Shape) *Node
	// Moments, where set, tells BatchNorm in training the mean and the variance [C]
	// of a whole batch, of whose values x [N, C] is a part; the graph then has no
	// new running statistics. It is asked once for each use of a layer, in the
	// order of the graph.
	Moments func(layer string, x *Node) (mean, variance *Node)
	// BF16 rounds the operands of large products to bfloat16, in the graph: for
	// engines that do not round by themselves.
	BF16 bool
}

// tower carries what every layer needs; its methods build the graph.
type tower struct {
	config  Config
	weights Weights
	mode    Mode
	updates map[string]*Node
}

func newTower(w Weights, c Config, m Mode) *tower {
	return &tower{config: c, weights: w, mode: m, updates: map[string]*Node{}}
}

// linear is y = x·Wᵀ + b over the last axis.
func (t *tower) linear(name string, x *Node) *Node {
	dims := x.Shape().Dimensions
	flat := x
	if x.Rank() != 2 {
		flat = Reshape(x, -1, dims[len(dims)-1])
	}
	y := t.dense(flat, t.weights(name+".weight"), t.weights(name+".bias"))
	if x.Rank() == 2 {
		return y
	}
	out := append([]int(nil), dims...)
	out[len(out)-1] = y.Shape().Dimensions[1]
	return Reshape(y, out...)
}

// norm is LayerNorm over the last axis.
func (t *tower) norm(name string, x *Node) *Node {
	return nn.LayerNorm(x, []int{-1}, LayerNormEpsilon, t.weights(name+".weight"), t.weights(name+".bias"), nil)
}

// mlp is linear, GELU (erf), linear.
func (t *tower) mlp(name string, x *Node) *Node {
	return t.linear(name+".fc2", activation.Gelu(t.linear(name+".fc1", x)))
}

// mixTokens is an mlp over the token axis: [B, L, D] → [B, L', D].
func (t *tower) mixTokens(name string, x *Node) *Node {
	return Transpose(t.mlp(name, Transpose(x, 1, 2)), 1, 2)
}

// quickGelu is CLIP's x·sigmoid(1.702x).
func quickGelu(x *Node) *Node { return Mul(x, Sigmoid(MulScalar(x, 1.702))) }

// attend is multi-head attention of query [B, Q, D] to key [B, K, D], which is
// the value too; out names the output layer.
func (t *tower) attend(name, out string, heads int, query, key *Node, o attention.CoreOptions) *Node {
	split := func(x *Node) *Node {
		d := x.Shape().Dimensions
		return Reshape(x, d[0], d[1], heads, d[2]/heads)
	}
	q := split(t.linear(name+".q_proj", query))
	k := split(t.linear(name+".k_proj", key))
	v := split(t.linear(name+".v_proj", key))
	y := t.attention(q, k, v, o)
	return t.linear(name+"."+out, Reshape(y, query.Shape().Dimensions...))
}

// batchNormMomentum is PyTorch's: running ← 0.9·running + 0.1·batch.
const batchNormMomentum = 0.1

// batchNorm normalises over all axes but the last. In training it uses the
// batch's own statistics, through which gradients flow, and records the new
// running ones (the variance unbiased, as PyTorch does).
func (t *tower) batchNorm(name string, x *Node) *Node {
	channels := x.Shape().Dimensions[x.Rank()-1]
	flat := Reshape(x, -1, channels)
	row := func(n *Node) *Node { return Reshape(n, 1, channels) }
	mean, variance := row(t.weights(name+".running_mean")), row(t.weights(name+".running_var"))
	switch {
	case t.mode.Training && t.mode.Moments != nil:
		mean, variance = t.mode.Moments(name, flat)
		mean, variance = row(mean), row(variance)
	case t.mode.Training:
		n := flat.Shape().Dimensions[0]
		batchMean := ReduceAndKeep(flat, ReduceMean, 0)
		batchVariance := ReduceAndKeep(Square(Sub(flat, batchMean)), ReduceMean, 0)
		t.track(name+".running_mean", mean, batchMean, channels)
		t.track(name+".running_var", variance, MulScalar(batchVariance, float64(n)/float64(max(n-1, 1))), channels)
		mean, variance = batchMean, batchVariance
	}
	scale := Div(row(t.weights(name+".weight")), Sqrt(AddScalar(variance, LayerNormEpsilon)))
	y := Add(Mul(Sub(flat, mean), scale), row(t.weights(name+".bias")))
	return Reshape(y, x.Shape().Dimensions...)
}

// track records a running statistic; the first use of a layer in a graph counts.
func (t *tower) track(name string, running, batch *Node, channels int) {
	if _, ok := t.updates[name]; ok {
		return
	}
	t.updates[name] = Reshape(RenewStatistic(running, StopGradient(batch)), channels)
}

// RenewStatistic is a running statistic of BatchNorm after a batch with that mean,
// or that unbiased variance.
func RenewStatistic(running, batch *Node) *Node {
	return Add(MulScalar(running, 1-batchNormMomentum), MulScalar(batch, batchNormMomentum))
}

// dropPath drops a residual branch x [B, ...] for whole samples with
// probability p and divides what it keeps by 1-p.
func (t *tower) dropPath(x *Node, p float64) *Node {
	if !t.mode.Training || p == 0 || t.mode.Random == nil {
		return x
	}
	dims := make([]int, x.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = x.Shape().Dimensions[0]
	u := t.mode.Random(shapes.Make(x.DType(), dims...))
	keep := ConvertDType(LessThan(u, Scalar(x.Graph(), x.DType(), 1-p)), x.DType())
	return Mul(x, MulScalar(keep, 1/(1-p)))
}

// project is a projection head over the last axis: linear, BatchNorm, ReLU,
// linear (paper), or linear, GELU, linear (variant).
func (t *tower) project(name string, x *Node) *Node {
	h := t.linear(name+".0", x)
	if t.config.Variant.PlainProjection {
		h = activation.Gelu(h)
	} else {
		h = activation.Relu(t.batchNorm(name+".1", h))
	}
	return t.linear(name+".3", h)
}

// unit divides by the L2 norm of the last axis, at least 1e-12 as PyTorch does.
func unit(x *Node) *Node {
	square := ReduceAndKeep(Square(x), ReduceSum, -1)
	// The floor stands under the root: the root of zero has no gradient.
	return Div(x, Sqrt(MaxScalar(square, 1e-24)))
}
