package network

import (
	"fmt"
	"maps"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/attention"
)

// ImageOutput holds everything the image tower computes.
type ImageOutput struct {
	// Stages holds the assignment of every grouping block, first to last.
	Stages []StageOutput
	// Groups [B, G, D] are the last stage's tokens after the final LayerNorm:
	// its groups, or image tokens where the network has no groups.
	Groups *Node
	// GroupEmbeddings [B, G, P] are the groups projected into the shared
	// space, not normalised; nil in training unless a loss needs them, and nil
	// for a network without groups.
	GroupEmbeddings *Node
	// Pooled [B, D] is the mean of Groups.
	Pooled *Node
	// Embedding [B, P] is the picture in the shared space, not normalised.
	Embedding *Node
	// Areas [B, G] is min(1, G · share of the image tokens) of each group, a
	// constant to the losses; nil without groups.
	Areas *Node
	// Assignment [B, G, h·w] are the soft assignments of all stages, followed down
	// to the image tokens; nil without groups.
	Assignment *Node
	// PatchEmbeddings [B, h·w, P] are projected patches, not normalised, nil
	// unless the variant asks for them.
	PatchEmbeddings *Node
	// GlobalEmbedding [B, P] is the context branch's vector of the whole image in
	// the shared space, not normalised; nil unless a loss looks at it.
	GlobalEmbedding *Node
	// GridH and GridW are the size of the token grid.
	GridH, GridW int
	// Updates holds new running statistics by parameter name (training).
	Updates map[string]*Node
}

// ImageFeatures is what the image tower computes below the projection head. It
// depends on one picture alone (in training, unless the stem has BatchNorm), so
// a large batch may be computed in parts; the head, whose BatchNorm looks at the
// whole batch, may not.
type ImageFeatures struct {
	// Stages, Groups, Pooled, Areas, Assignment, GridH and GridW are those of
	// ImageOutput.
	Stages                            []StageOutput
	Groups, Pooled, Areas, Assignment *Node
	GridH, GridW                      int
	// Patches [B, h·w, D] are normed patches, nil unless the variant projects
	// them.
	Patches *Node
	// Global [B, C] is the context branch's vector of the whole image, nil without
	// one.
	Global *Node
	// Updates holds new running statistics of the stem (training).
	Updates map[string]*Node
}

// Image is the image tower and its projection head: pixels [B, 3, H, W],
// normalised, of any size that holds one patch.
func Image(w Weights, c Config, pixels *Node, m Mode) ImageOutput {
	return ImageHead(w, c, ImageTower(w, c, pixels, m), m)
}

// ImageTower is the image tower without its projection head; see [Image].
func ImageTower(w Weights, c Config, pixels *Node, m Mode) ImageFeatures {
	t := newTower(w, c, m)
	f := ImageFeatures{Updates: t.updates}
	x, stem, h, width := t.embed(pixels)
	f.GridH, f.GridW = h, width
	local := t.local(x)
	if len(c.Variant.Context.Channels) > 0 {
		before := local
		local, f.Global = t.context(local, stem)
		x = Add(x, Sub(local, before)) // the transformer sees the context too
	}
	if c.hasTrunk() {
		x = Add(x, t.positions(h, width))
	}
	x, f.Stages = t.stages(x, local)
	t.features(&f, x, local)
	return f
}

// local returns the features that no attention has touched: f = e + MLP(LN(e)).
func (t *tower) local(e *Node) *Node {
	if t.config.Variant.LocalMLP == 0 {
		return e
	}
	return Add(e, t.mlp("local_model.mlp", t.norm("local_model.mlp.layer_norm", e)))
}

// stages runs the transformer blocks and grouping blocks of all stages.
func (t *tower) stages(x, local *Node) (*Node, []StageOutput) {
	c := t.config
	total, drawn := 0, 0
	for _, d := range c.Depths {
		total += d
	}
	var assignments []StageOutput
	var groups *Node // the previous stage's group tokens, after its blocks
	for i := range c.Depths {
		name, s := stageName(i), c.GroupTokens[i]
		length := x.Shape().Dimensions[1]
		z := x
		if s > 0 {
			groups = t.groupTokens(i, x.Shape().Dimensions[0], groups)
			z = Concatenate([]*Node{x, groups}, 1) // image tokens first
		}
		for b := range c.Depths[i] {
			rate := 0.0
			if total > 1 {
				rate = c.DropPath * float64(drawn) / float64(total-1)
			}
			z = t.block(fmt.Sprintf("%s.layers.%d", name, b), c.Heads[i], z, rate)
			drawn++
		}
		if s == 0 {
			x = z
			continue
		}
		x = SliceAxis(z, 1, AxisRange(0, length))
		groups = SliceAxis(z, 1, AxisRange(length, length+s))
		var values *Node
		if c.Variant.LocalValues && len(assignments) == 0 {
			values = t.norm("local_model.value_norm", local)
		}
		var a StageOutput
		x, a = t.group(name+".downsample", c.Heads[i], x, groups, values)
		assignments = append(assignments, a)
	}
	return x, assignments
}

// groupTokens returns a stage's group tokens [B, S, D]: learned, and from the
// second stage on plus what the previous stage's tokens project to.
func (t *tower) groupTokens(i, batch int, previous *Node) *Node {
	name := stageName(i)
	tokens := t.weights(name + ".group_token")
	if i > 0 {
		p := t.norm(name+".group_projector.0", previous)
		return Add(tokens, t.mixTokens(name+".group_projector.1", p))
	}
	dims := tokens.Shape().Dimensions
	return BroadcastToDims(tokens, batch, dims[1], dims[2])
}

// block is a pre-norm transformer block.
func (t *tower) block(name string, heads int, x *Node, drop float64) *Node {
	y := t.norm(name+".layer_norm1", x)
	y = t.attend(name+".self_attn", "out_proj", heads, y, y, attention.CoreOptions{})
	x = Add(x, t.dropPath(y, drop))
	y = t.mlp(name+".mlp", t.norm(name+".layer_norm2", x))
	return Add(x, t.dropPath(y, drop))
}

// features fills in what follows the last stage: norm, pooling, areas.
func (t *tower) features(f *ImageFeatures, x, local *Node) {
	const finalNorm = "vision_model.layernorm"
	f.Groups = t.norm(finalNorm, x)
	f.Pooled = ReduceMean(f.Groups, 1)
	if len(f.Stages) > 0 {
		f.Assignment = chain(f.Stages)
		// Areas weigh and have no gradient: a loss that could move them would make
		// the assignment diffuse, and the map with it.
		share := StopGradient(ReduceMean(f.Assignment, 2)) // [B, G]
		f.Areas = MinScalar(MulScalar(share, float64(t.config.Groups())), 1.0)
	}
	switch t.config.Variant.PatchEmbeddings {
	case PatchesLocal:
		f.Patches = t.norm(finalNorm, local)
	case PatchesTrunk:
		f.Patches = f.Groups
	}
}

// ImageHead projects the features of a whole batch into the shared space.
func ImageHead(w Weights, c Config, f ImageFeatures, m Mode) ImageOutput {
	const head = "visual_projection"
	t, v := newTower(w, c, m), c.Variant
	out := ImageOutput{
		Stages: f.Stages, Groups: f.Groups, Pooled: f.Pooled, Areas: f.Areas,
		Assignment: f.Assignment, GridH: f.GridH, GridW: f.GridW, Updates: t.updates,
	}
	maps.Copy(out.Updates, f.Updates)
	if f.Patches != nil {
		out.PatchEmbeddings = t.project(head, f.Patches)
	}
	if c.namesGlobally() {
		out.GlobalEmbedding = t.linear(contextName+".naming", f.Global)
	}
	// In the paper's training only the pooled feature reaches the head, whose
	// batch statistics it alone makes.
	switch {
	case v.PatchPooled:
		out.Embedding = ReduceMean(out.PatchEmbeddings, 1)
	case !v.AreaWeighted:
		out.Embedding = t.project(head, f.Pooled)
	}
	if c.HasGroups() && (!m.Training || c.projectsGroups()) {
		out.GroupEmbeddings = t.project(head, f.Groups)
	}
	if v.AreaWeighted {
		weight := InsertAxes(out.Areas, -1)
		sum := ReduceSum(Mul(out.GroupEmbeddings, weight), 1)
		out.Embedding = Div(sum, ReduceSum(weight, 1))
	}
	return out
}

// namesGlobally reports whether the noun loss looks at the context branch's vector
// of the whole image.
func (c Config) namesGlobally() bool { return contains(c.Variant.NounsAgainst, AgainstGlobal) }

// projectsGroups reports whether the losses may look at single groups.
func (c Config) projectsGroups() bool {
	return c.Variant.AreaWeighted || contains(c.Variant.nounsAgainst(), AgainstGroups) || c.teaches()
}

// teaches tells whether patches can teach groups their words: there are both.
func (c Config) teaches() bool { return c.HasGroups() && c.Variant.PatchEmbeddings != "" }
