package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// foldedConv is what the lowering must know of a convolution with what a network does to each channel of its result
// (BatchNorm in inference, a bias), and after that a residual and an activation:
// y = act(scale·(x * w) + shift + residual). Its inputs are x, w, what the steps name, and the residual.
type foldedConv struct {
	convAttr
	steps    []channelStep
	residual int // which input, or 0
	act      vector.Activation
}

// channelStep is v ← v op input, one number a channel, or one for all.
type channelStep struct {
	op    compute.OpType
	input int
}

// foldable reports whether the kernels take the convolution with its kernel packed: two axes, no groups, no dilations,
// channels last in the result.
func foldable(n *node) bool {
	a := n.attr.(convAttr)
	x, w, out := n.inputs[0], n.inputs[1], n.values[0]
	if len(a.axes.InputSpatial) != 2 || a.channelGroups > 1 || a.batchGroups > 1 || x.dtype() != dtypes.Float32 || w.dtype() != dtypes.Float32 ||
		out.size() == 0 || x.size() == 0 || w.size() == 0 {
		return false
	}
	for _, d := range slices.Concat(a.inputDilations, a.kernDilations) {
		if d > 1 {
			return false
		}
	}
	if area := func(v *value, axes []int) int { return product(pick(v.dims(), axes)) }; area(w, a.axes.KernelSpatial) > area(out, a.axes.OutputSpatial) {
		return false // the kernels know better: it is the gradient of a kernel
	}
	return slices.Equal([]int{a.axes.OutputBatch, a.axes.OutputSpatial[0], a.axes.OutputSpatial[1], a.axes.OutputChannels}, seq(4))
}

// fold takes in what follows a convolution and nobody else looks at. In training, where BatchNorm's statistics look at
// the result too, nothing is left to take.
func (n *node) fold(gone map[*node]bool) {
	a := foldedConv{convAttr: n.attr.(convAttr)}
	channels := n.values[0].dims()[3]
	for user := onlyUser(n.values[0]); user != nil && a.act == vector.NoActivation; user = onlyUser(n.values[0]) {
		act, activates := activationOf(user)
		var taken []*value
		switch {
		case user.op == compute.OpTypeReshape:
			if d := user.values[0].dims(); len(d) == 0 || d[len(d)-1] != channels {
				return
			}
		case activates:
			a.act = act
		case user.op == compute.OpTypeMax && zeroBeside(user, n.values[0]) != nil:
			zero := zeroBeside(user, n.values[0])
			zero.users = slices.DeleteFunc(zero.users, func(u *node) bool { return u == user })
			a.act = vector.ReLU
		default:
			other := a.step(user, n.values[0], channels, len(n.inputs))
			if other == nil {
				return
			}
			taken = []*value{other}
		}
		n.inputs = append(slices.Clone(n.inputs), taken...)
		n.become(user, gone)
		n.op, n.attr = opFoldedConvolution, a
	}
}

// step adds what a user does with the result x, and gives the other operand, which becomes input number at; nil if it
// is nothing that can be taken in.
func (a *foldedConv) step(user *node, x *value, channels, at int) *value {
	switch user.op {
	case compute.OpTypeAdd, compute.OpTypeMul, compute.OpTypeSub, compute.OpTypeDiv:
	default:
		return nil
	}
	first, second := user.inputs[0], user.inputs[1]
	commutes := user.op == compute.OpTypeAdd || user.op == compute.OpTypeMul
	if second == x && commutes {
		first, second = second, first
	}
	if first != x || second == x || a.residual != 0 || !user.values[0].shape.Equal(x.shape) {
		return nil
	}
	if perChannel(second, channels) {
		a.steps = append(a.steps, channelStep{user.op, at})
		return second
	}
	if user.op == compute.OpTypeAdd && second.shape.Equal(x.shape) {
		a.residual = at
		return second
	}
	return nil
}

// perChannel reports whether a value has one number for each channel, which is its last axis, or one for all.
func perChannel(v *value, channels int) bool {
	d := v.dims()
	return v.dtype() == dtypes.Float32 && (v.size() == 1 || v.size() == channels && d[len(d)-1] == channels)
}

// zeroBeside is the operand of n beside x if that is 0, else nil.
func zeroBeside(n *node, x *value) *value {
	zero := number(0)
	for i, v := range n.inputs {
		if other := n.inputs[1-i]; v == x && other != x && zero(nil, other) {
			return other
		}
	}
	return nil
}
