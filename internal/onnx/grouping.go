package onnx

import "math"

// group is the grouping block: tokens x [B, L, D] are assigned to the groups that
// group tokens g [B, S, D] grew into, and each group becomes the mean of its
// tokens. values [B, L, D] is what is pooled if it is not x itself ("", variant).
// Returns the groups [B, G, D] and the soft assignment [B, G, L].
func (t *tower) group(name string, stage int, x, g, values value) (groups, soft value) {
	v, heads := t.config.Variant, t.config.Heads[stage]
	g = t.norm(name+".norm_tokens", g)
	x = t.norm(name+".norm_x", x)
	if !v.NoTokenMixer {
		g = t.mixTokens(name+".mlp_inter", g)
	}
	g = t.norm(name+".norm_post_tokens", g)
	g = t.preAssign(name+".pre_assign_attn", heads, g, x) // ĝ [B, G, D]

	soft, assign := t.assign(name+".assign", t.config.OutputGroups[stage], g, x)
	if values == "" {
		values = x
	}
	s := t.at(name)
	weights := s.div(assign, s.add(s.sum(assign, true, -1), s.number(t.config.AssignEpsilon)))
	pooled := s.matMul(weights, t.linear(name+".assign.v_proj", values))
	out := t.linear(name+".assign.proj", pooled)
	if v.NoGroupResidual {
		out = s.add(out, s.matMul(weights, values))
	} else {
		out = s.add(out, g)
	}
	return s.add(out, t.mlp(name+".mlp_channels", t.norm(name+".norm_new_x", out))), soft
}

// preAssign lets the groups look at the tokens before the assignment.
func (t *tower) preAssign(name string, heads int, g, x value) value {
	s := t.at(name)
	g = s.add(g, t.attend(name+".attn", "out_proj", heads, g, x, ""))
	g = s.add(g, t.mlp(name+".mlp", t.norm(name+".norm2", g)))
	return t.norm(name+".norm_post", g)
}

// assign returns the soft assignment [B, G, L] and the one to pool with: hard, by
// the largest, unless the variant assigns softly.
func (t *tower) assign(name string, groups int, g, x value) (soft, assign value) {
	v, s := t.config.Variant, t.at(name)
	q, k := t.linear(name+".q_proj", g), t.linear(name+".k_proj", x)
	logits := s.scale(s.matMul(q, s.transpose(k, 0, 2, 1)), 1/math.Sqrt(float64(t.config.Width))) // one head
	if v.AssignScale > 0 {
		logits = s.centred(logits, v.AssignScale, v.AssignGuard)
	}
	soft = s.softmax(logits, 1)
	if v.SoftAssign {
		return soft, soft
	}
	return soft, s.oneHot(s.argMax(soft, 1), groups, 1)
}

// centred subtracts from logits [B, G, L] their mean over tokens, then over
// groups, and scales them so that a picture's root mean square is scale.
func (s scope) centred(logits value, scale, guard float64) value {
	l := s.sub(logits, s.mean(logits, true, 2))
	l = s.sub(l, s.mean(l, true, 1))
	rms := s.sqrt(s.add(s.mean(s.mul(l, l), true, 1, 2), s.number(1e-12)))
	return s.div(s.scale(l, scale), s.add(rms, s.number(guard)))
}
