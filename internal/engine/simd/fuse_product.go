package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// absorb lets a product with a weight do what follows it, while its rows are still in the cache: an activation, and
// after that the addition of a residual. Only what nobody else looks at goes: in training the backward pass wants
// the activation's operand, so there the activation stays. The nodes are live ones, with their users.
func absorb(nodes []*node) []*node {
	gone := map[*node]bool{}
	for _, n := range slices.Clone(nodes) {
		switch {
		case n.op == compute.OpTypeFusedDense && absorbs(n):
			n.follow(gone)
		case n.op == compute.OpTypeConvGeneral && foldable(n):
			n.fold(gone)
		}
	}
	kept := nodes[:0]
	for _, n := range nodes {
		if !gone[n] {
			kept = append(kept, n)
		}
	}
	slices.SortFunc(kept, func(a, b *node) int { return a.index - b.index })
	return kept
}

// follow takes in what comes after a product: reshapes, one activation, one residual.
func (n *node) follow(gone map[*node]bool) {
	a := n.attr.(denseAttr)
	active, added := a.Activation != compute.ActivationNone, false
	for user := onlyUser(n.values[0]); user != nil; user = onlyUser(n.values[0]) {
		act, activates := activationOf(user)
		switch {
		case user.op == compute.OpTypeReshape:
		case activates && !active && !added:
			a.act, active = act, true
		case user.op == compute.OpTypeAdd && !added:
			rest := otherOperand(user, n.values[0])
			if rest == nil {
				return
			}
			n.inputs, added = append(slices.Clone(n.inputs), rest), true
		default:
			return
		}
		n.become(user, gone)
		n.attr = a
	}
}

// absorbs reports whether lowerDense takes the product for sure.
func absorbs(n *node) bool {
	x, w := n.inputs[0], n.inputs[1]
	_, known := activations[n.attr.(denseAttr).Activation]
	return known && x.dtype() == dtypes.Float32 && w.dtype() == dtypes.Float32 && x.size()*w.size() > 0
}

// onlyUser is the one node that uses a value, once; nil if there are others or the value is an output.
func onlyUser(v *value) *node {
	if v.output || len(v.users) != 1 {
		return nil
	}
	return v.users[0]
}

// activationOf is the activation that a node computes of its operand.
func activationOf(n *node) (vector.Activation, bool) {
	switch n.op {
	case compute.OpTypeFusedGelu:
		return vector.GELU, bool(n.attr.(geluAttr))
	case opQuickGelu:
		return vector.QuickGELU, true
	}
	return vector.NoActivation, false
}

// otherOperand is what is added to x by n, if it has all of the sum's elements and is not x itself.
func otherOperand(n *node, x *value) *value {
	y := n.inputs[0]
	if y == x {
		y = n.inputs[1]
	}
	if y == x || !y.shape.Equal(n.values[0].shape) || !x.shape.Equal(n.values[0].shape) {
		return nil
	}
	return y
}

// become takes over the place, the operands that are left, and the results of a user.
func (n *node) become(user *node, gone map[*node]bool) {
	gone[user] = true
	for _, v := range user.inputs {
		if v == nil || v.node == n {
			continue
		}
		for i, u := range v.users {
			if u == user {
				v.users[i] = n
			}
		}
	}
	n.index, n.values = user.index, user.values
	for _, v := range n.values {
		v.node = n
	}
	n.replay = nil // that of the product alone would be wrong
}
