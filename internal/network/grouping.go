package network

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/attention"
)

// StageOutput holds the assignment of one grouping block.
type StageOutput struct {
	// Soft [B, G, L] is the softmax over groups of the assignment logits,
	// without noise: each of the L tokens spreads 1 over the groups.
	Soft *Node
	// Hard [B, G, L] is one-hot over groups: what the block pooled with. In
	// training it carries the straight-through gradient of the noisy softmax.
	// Under soft assignment it is Soft.
	Hard *Node
}

// group is the grouping block (paper, §3.2): tokens x [B, L, D] are assigned to
// the groups that group tokens g [B, S, D] grew into, and each group becomes the
// mean of its tokens. values [B, L, D] is what is pooled if it is not x itself
// (variant). Returns [B, G, D].
func (t *tower) group(name string, heads int, x, g, values *Node) (*Node, StageOutput) {
	v := t.config.Variant
	g = t.norm(name+".norm_tokens", g)
	x = t.norm(name+".norm_x", x)
	if !v.NoTokenMixer {
		g = t.mixTokens(name+".mlp_inter", g)
	}
	g = t.norm(name+".norm_post_tokens", g)
	g = t.preAssign(name+".pre_assign_attn", heads, g, x) // ĝ [B, G, D]

	soft, assign := t.assign(name+".assign", g, x)
	if values == nil {
		values = x
	}
	// M' = M / (Σ_tokens M + ε): a group of n tokens gets n/(n+ε) of their mean.
	weights := Div(assign, AddScalar(ReduceAndKeep(assign, ReduceSum, -1), t.config.AssignEpsilon))
	pooled := Einsum("bgl,bld->bgd", weights, t.linear(name+".assign.v_proj", values))
	out := t.linear(name+".assign.proj", pooled)
	if v.NoGroupResidual {
		out = Add(out, Einsum("bgl,bld->bgd", weights, values))
	} else {
		out = Add(out, g)
	}
	out = Add(out, t.mlp(name+".mlp_channels", t.norm(name+".norm_new_x", out)))
	return out, StageOutput{Soft: soft, Hard: assign}
}

// preAssign lets the groups look at the tokens before the assignment: cross
// attention and MLP, both residual, and a norm after. The paper's equations
// leave it out; the published networks have it.
func (t *tower) preAssign(name string, heads int, g, x *Node) *Node {
	g = Add(g, t.attend(name+".attn", "out_proj", heads, g, x, attention.CoreOptions{}))
	g = Add(g, t.mlp(name+".mlp", t.norm(name+".norm2", g)))
	return t.norm(name+".norm_post", g)
}

// assign returns the soft assignment [B, G, L] and the one to pool with.
func (t *tower) assign(name string, g, x *Node) (soft, assign *Node) {
	v := t.config.Variant
	q, k := t.linear(name+".q_proj", g), t.linear(name+".k_proj", x)
	logits := Einsum("bgd,bld->bgl", q, k)
	logits = MulScalar(logits, 1/math.Sqrt(float64(t.config.Width))) // one head
	if v.AssignScale > 0 {
		logits = centred(logits, v.AssignScale, v.AssignGuard)
	}
	soft = Softmax(logits, 1)
	if v.SoftAssign {
		return soft, soft
	}
	noisy := soft
	if t.mode.Training && t.mode.Random != nil {
		noisy = Softmax(Add(logits, t.gumbel(logits)), 1)
	}
	return soft, straightThrough(noisy)
}

// gumbel draws Gumbel(0, 1) noise of the shape of like: -ln(-ln u).
func (t *tower) gumbel(like *Node) *Node {
	u := MaxScalar(t.mode.Random(like.Shape()), 1e-20)
	return Neg(Log(MaxScalar(Neg(Log(u)), 1e-20)))
}

// straightThrough is the one-hot of the largest group, with the gradient of s:
// onehot - stop(s) + s.
func straightThrough(s *Node) *Node {
	winner := ArgMax(s, 1, dtypes.Int32) // [B, L]
	hard := Transpose(OneHot(winner, s.Shape().Dimensions[1], s.DType()), 1, 2)
	return Add(StopGradient(Sub(hard, s)), s)
}

// centred subtracts from logits [B, G, L] their mean over tokens, then over
// groups, and scales them so that a picture's root mean square is scale. It
// keeps one group from taking a whole picture and groups from becoming alike.
func centred(logits *Node, scale, guard float64) *Node {
	l := Sub(logits, ReduceAndKeep(logits, ReduceMean, 2))
	l = Sub(l, ReduceAndKeep(l, ReduceMean, 1))
	rms := Sqrt(AddScalar(ReduceAndKeep(Square(l), ReduceMean, 1, 2), 1e-12))
	return Div(MulScalar(l, scale), AddScalar(rms, guard))
}

// chain follows the soft assignments of all stages down to the image tokens:
// [B, G, N], each image token spreading 1 over the last stage's groups.
func chain(stages []StageOutput) *Node {
	var m *Node
	for _, s := range stages {
		if m == nil {
			m = s.Soft
		} else {
			m = Einsum("bgk,bkn->bgn", s.Soft, m)
		}
	}
	return m
}
