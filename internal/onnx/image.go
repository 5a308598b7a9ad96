package onnx

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
	"github.com/groupvit/groupvit/internal/weights"
)

// features is what the image tower computes below the projection head.
type features struct {
	// grid is [h, w], the size of the token grid.
	grid value
	// stages follow the soft assignments of all stages up to each down to the
	// image tokens: [B, G_i, N].
	stages []value
	// groups [B, G, D] are the last stage's tokens after the final LayerNorm, and
	// patches [B, N, D] normed patches, "" unless the variant projects them.
	groups, patches value
}

// Image makes the graph of the image tower and its projection head. Its input is
//
//	pixels [batch, 3, height, width]  RGB in 0 … 1, or normalised (see [Options])
//
// and its outputs, all of them float32, are those of
//
//	image [batch, P]                          the picture's unit vector
//	groups [batch, G, P]                      the groups' unit vectors
//	assignment [batch, G, rows, columns]      how much of each patch is each group's,
//	                                          the stages multiplied
//	assignment_i [batch, G_i, rows, columns]  the same up to the i-th of several stages
//	patches [batch, P, rows, columns]         the patches' unit vectors
//
// that the network has. Errors wrap [ErrExport] or [network.ErrConfig].
func Image(m *weights.Model, o Options) ([]byte, error) {
	if err := check(m, o); err != nil {
		return nil, err
	}
	g := newGraph("groupvit image", o.Half)
	t := newTower(g, m)
	height, width := axis{name: "height"}, axis{name: "width"}
	if o.fixed() {
		height, width = fixed(o.Height), fixed(o.Width)
	}
	x := g.input("pixels", o.pixels(m), onnxpb.TensorProto_FLOAT, o.batch(), fixed(3), height, width)
	f := t.imageTower(t.pixels(x, o), o)
	t.imageHead(f, o)
	return g.encode(m, o, t.imageMetadata(o))
}

// imageTower is the image tower without its projection head.
func (t *tower) imageTower(pixels value, o Options) features {
	x, stem, grid := t.embed(pixels, o)
	local := t.local(x)
	if len(t.config.Variant.Context.Channels) > 0 {
		s, before := t.at(contextName), local
		local = t.context(local, stem)
		x = s.add(x, s.sub(local, before))
	}
	f := features{grid: grid}
	if t.hasTrunk() {
		x = t.at("vision_model.embeddings").add(x, t.positions(o, grid))
	}
	x = t.stages(&f, x, local, o)
	const finalNorm = "vision_model.layernorm"
	f.groups = t.norm(finalNorm, x)
	switch t.config.Variant.PatchEmbeddings {
	case network.PatchesLocal:
		f.patches = t.norm(finalNorm, local)
	case network.PatchesTrunk:
		f.patches = f.groups
	}
	return f
}

// hasTrunk tells whether there are positions: whether any attention stands between
// the patch embedding and the final norm.
func (t *tower) hasTrunk() bool {
	return t.shapes["vision_model.embeddings.position_embeddings"] != nil
}

// local returns the features that no attention has touched: f = e + MLP(LN(e)).
func (t *tower) local(e value) value {
	const name = "local_model.mlp"
	if t.config.Variant.LocalMLP == 0 {
		return e
	}
	return t.at(name).add(e, t.mlp(name, t.norm(name+".layer_norm", e)))
}

// stages runs the transformer blocks and grouping blocks of all stages.
func (t *tower) stages(f *features, x, local value, o Options) value {
	c := t.config
	var groups value // the previous stage's group tokens, after its blocks
	for i, depth := range c.Depths {
		name, tokens := fmt.Sprintf("vision_model.encoder.stages.%d", i), c.GroupTokens[i]
		s := t.at(name)
		z := x
		if tokens > 0 {
			groups = t.groupTokens(name, i, x, groups, o)
			z = s.concat(1, x, groups) // image tokens first
		}
		for b := range depth {
			z = t.block(fmt.Sprintf("%s.layers.%d", name, b), c.Heads[i], z)
		}
		if tokens == 0 {
			x = z
			continue
		}
		first, last, sequence := t.integers(0), t.integers(-tokens), t.integers(1)
		x = s.slice(z, first, last, sequence)
		groups = s.slice(z, last, t.integers(1<<31-1), sequence)
		var values value
		if c.Variant.LocalValues && len(f.stages) == 0 {
			values = t.norm("local_model.value_norm", local)
		}
		var soft value
		x, soft = t.group(name+".downsample", i, x, groups, values)
		if n := len(f.stages); n > 0 {
			soft = s.matMul(soft, f.stages[n-1])
		}
		f.stages = append(f.stages, soft)
	}
	return x
}

// groupTokens returns a stage's group tokens [B, S, D]: learned, and from the
// second stage on plus what the previous stage's tokens project to.
func (t *tower) groupTokens(name string, stage int, x, previous value, o Options) value {
	s, tokens := t.at(name), t.param(name+".group_token")
	if stage > 0 {
		return s.add(tokens, t.mixTokens(name+".group_projector.1", t.norm(name+".group_projector.0", previous)))
	}
	if o.Batch > 0 {
		return s.expand(tokens, t.integers(o.Batch, 1, 1))
	}
	return s.expand(tokens, s.concat(0, s.sizes(x, 0, 1), t.integers(1, 1)))
}

// block is a pre-norm transformer block.
func (t *tower) block(name string, heads int, x value) value {
	s := t.at(name)
	y := t.norm(name+".layer_norm1", x)
	x = s.add(x, t.attend(name+".self_attn", "out_proj", heads, y, y, ""))
	return s.add(x, t.mlp(name+".mlp", t.norm(name+".layer_norm2", x)))
}

// imageHead projects the features into the shared space and declares the outputs.
func (t *tower) imageHead(f features, o Options) {
	const head = "visual_projection"
	v, c, s := t.config.Variant, t.config, t.at(head)
	batch, width := o.batch(), fixed(c.EmbedWidth)
	rows, columns := axis{name: "rows"}, axis{name: "columns"}
	if o.fixed() {
		rows, columns = fixed(o.Height/c.PatchSize), fixed(o.Width/c.PatchSize)
	}
	var groups, patches, image value
	if f.patches != "" {
		patches = t.project(head, f.patches)
	}
	if c.HasGroups() {
		groups = t.project(head, f.groups)
	}
	switch {
	case v.PatchPooled:
		image = s.mean(patches, false, 1)
	case v.AreaWeighted:
		image = s.areaWeighted(groups, f.stages[len(f.stages)-1], c.Groups())
	default:
		image = t.project(head, s.mean(f.groups, false, 1))
	}
	t.output("image", "the picture's unit vector", s.unit(image), batch, width)
	maps := func(x value) value { return s.reshapeTo(x, s.concat(0, t.integers(0, 0), f.grid)) } // [B, …, N] to [B, …, h, w]
	if groups != "" {
		t.output("groups", "the groups' unit vectors", s.unit(groups), batch, fixed(c.Groups()), width)
	}
	stage := 0
	for i, tokens := range c.GroupTokens {
		if tokens == 0 {
			continue
		}
		name, about := "assignment", "how much of each patch is each group's"
		if stage++; stage < len(f.stages) {
			name, about = fmt.Sprintf("assignment_%d", stage), fmt.Sprintf("how much of each patch is each group's of stage %d", stage)
		}
		t.output(name, about, maps(f.stages[stage-1]), batch, fixed(c.OutputGroups[i]), rows, columns)
	}
	if patches != "" {
		t.output("patches", "the patches' unit vectors", maps(s.transpose(s.unit(patches), 0, 2, 1)), batch, width, rows, columns)
	}
}

// areaWeighted is the mean of projected groups [B, G, P], weighted by min(1, G ·
// share of the image tokens).
func (s scope) areaWeighted(groups, assignment value, count int) value {
	share := s.mean(assignment, true, 2) // [B, G, 1]
	weight := s.min(s.scale(share, float64(count)), s.number(1))
	return s.div(s.sum(s.mul(groups, weight), false, 1), s.sum(weight, false, 1))
}
