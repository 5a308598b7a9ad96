package network

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Param describes one tensor of a network.
type Param struct {
	// Name is the Hugging Face port's name; what the paper does not have
	// starts with "local_model.".
	Name string
	// Shape is the PyTorch shape: [out, in] for a linear layer, [out, in, kh,
	// kw] for a convolution, empty for a scalar.
	Shape []int
	// Decay says that weight decay applies in the official training: to every
	// tensor that has not exactly one axis and whose name does not end in
	// ".bias", which includes both temperatures and all embeddings.
	Decay bool
	// Trainable is false for running statistics.
	Trainable bool
	// Optional says that a checkpoint may lack the tensor; its initial value
	// stands in then.
	Optional bool

	draw draw
}

// Size returns the number of elements.
func (p Param) Size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Names of tensors that code outside the towers asks for.
const (
	LogitScale     = "logit_scale"
	NounLogitScale = "multi_label_logit_scale"
	LogitBias      = "logit_bias"
	NounLogitBias  = "multi_label_logit_bias"
)

// Params lists every tensor of the network, sorted by name. The configuration
// must be valid.
func (c Config) Params() []Param {
	l := &paramList{config: c}
	l.embeddings()
	for i := range c.Depths {
		l.stage(i)
	}
	l.norm("vision_model.layernorm", c.Width)
	l.text()
	l.projection("visual_projection", c.Width)
	l.projection("text_projection", c.Text.Width)
	l.add(LogitScale, drawConstant(c.logitScale()))
	if c.NounLoss {
		l.add(NounLogitScale, drawConstant(c.logitScale()))
		l.params[len(l.params)-1].Optional = true
	}
	if c.Variant.LogitBias {
		l.bias(LogitBias)
		if c.NounLoss {
			l.bias(NounLogitBias)
		}
	}
	slices.SortFunc(l.params, func(a, b Param) int { return cmp.Compare(a.Name, b.Name) })
	return l.params
}

// paramList collects parameters; its methods mirror the modules that read them.
type paramList struct {
	config Config
	params []Param
}

func (l *paramList) add(name string, d draw, shape ...int) {
	l.params = append(l.params, Param{
		Name: name, Shape: shape, draw: d, Trainable: true,
		Decay: len(shape) != 1 && !strings.HasSuffix(name, ".bias"),
	})
}

func (l *paramList) statistic(name string, d draw, n int) {
	l.params = append(l.params, Param{Name: name, Shape: []int{n}, draw: d})
}

// sigmoidBias is where the sigmoid loss's bias starts: nearly all pairs of a batch
// do not fit (SigLIP).
const sigmoidBias = -10

// bias adds a scalar without weight decay.
func (l *paramList) bias(name string) {
	l.add(name, drawConstant(sigmoidBias))
	p := &l.params[len(l.params)-1]
	p.Decay, p.Optional = false, true
}

func (l *paramList) norm(name string, width int) {
	l.add(name+".weight", drawConstant(1), width)
	l.add(name+".bias", drawConstant(0), width)
}

func (l *paramList) batchNorm(name string, width int, scale float64) {
	l.add(name+".weight", drawConstant(scale), width)
	l.add(name+".bias", drawConstant(0), width)
	l.statistic(name+".running_mean", drawConstant(0), width)
	l.statistic(name+".running_var", drawConstant(1), width)
}

// linear adds a linear layer initialised as the image tower's: weight
// N(0, 0.02²), bias 0.
func (l *paramList) linear(name string, in, out int) {
	l.linearWith(name, in, out, drawNormal(0.02), drawConstant(0))
}

func (l *paramList) linearWith(name string, in, out int, weight, bias draw) {
	if l.config.Variant.XavierInit {
		weight, bias = drawUniform(xavier(in, out)), drawConstant(0)
	}
	l.add(name+".weight", weight, out, in)
	l.add(name+".bias", bias, out)
}

func (l *paramList) mlp(name string, in, hidden, out int) {
	l.linear(name+".fc1", in, hidden)
	l.linear(name+".fc2", hidden, out)
}

func (l *paramList) convolution(name string, in, out, side int, bias bool) {
	d := drawUniform(fanIn(in * side * side))
	l.add(name+".weight", d, out, in, side, side)
	if bias {
		l.add(name+".bias", d, out)
	}
}

func (l *paramList) embeddings() {
	c, v := l.config, l.config.Variant
	if len(v.Stem.Channels) == 0 {
		l.convolution("vision_model.embeddings.patch_embeddings.projection", 3, c.Width, c.PatchSize, true)
	} else {
		l.stem()
	}
	l.norm("vision_model.embeddings.layernorm", c.Width)
	if c.hasTrunk() {
		l.add("vision_model.embeddings.position_embeddings", drawNormal(0.02), 1, c.Grid()*c.Grid(), c.Width)
	}
	if v.LocalMLP > 0 {
		l.norm("local_model.mlp.layer_norm", c.Width)
		l.mlp("local_model.mlp", c.Width, v.LocalMLP, c.Width)
	}
	l.context()
	if v.LocalValues {
		l.norm("local_model.value_norm", c.Width)
	}
}

// context is the context branch; see [Context].
func (l *paramList) context() {
	c, branch := l.config, l.config.Variant.Context
	if len(branch.Channels) == 0 {
		return
	}
	in := c.Width
	for i, out := range branch.Channels {
		name := contextDownName(i)
		l.convolution(name+".conv", in, out, 3, false)
		l.batchNorm(name+".norm", out, 1)
		for j := range branch.blocks(i) {
			l.residualBlock(contextBlockName(i, j), out)
		}
		in = out
	}
	l.linear(contextName+".global", in, in)
	if c.namesGlobally() {
		l.linear(contextName+".naming", in, c.EmbedWidth)
	}
	for i := len(branch.Channels) - 2; i >= 0; i-- {
		name, out := contextUpName(i), branch.Channels[i]
		l.add(name+".conv.weight", drawUniform(fanIn(in+out)), out, in+out)
		l.batchNorm(name+".norm", out, 1)
		l.residualBlock(name+".block", out)
		in = out
	}
	zero := drawConstant(0)
	l.add(contextName+".out.weight", zero, c.Width, in)
	l.add(contextName+".out.bias", zero, c.Width)
	if branch.MLP > 0 {
		l.norm(contextName+".mlp.layer_norm", c.Width)
		l.linear(contextName+".mlp.fc1", c.Width, branch.MLP)
		l.add(contextName+".mlp.fc2.weight", zero, c.Width, branch.MLP)
		l.add(contextName+".mlp.fc2.bias", zero, c.Width)
	}
}

// residualBlock adds a block of two 3×3 convolutions that starts as the identity.
func (l *paramList) residualBlock(name string, width int) {
	batchNorm := l.config.Variant.Stem.BatchNorm
	for i, scale := range []float64{1, 0} {
		l.convolution(fmt.Sprintf("%s.conv%d", name, i+1), width, width, 3, !batchNorm)
		if batchNorm {
			l.batchNorm(fmt.Sprintf("%s.norm%d", name, i+1), width, scale)
		}
	}
}

func (l *paramList) stem() {
	stem, in := l.config.Variant.Stem, 3
	for i, out := range stem.Channels {
		name := stemName(i)
		l.convolution(name+".conv", in, out, 3, !stem.BatchNorm)
		if stem.BatchNorm {
			l.batchNorm(name+".norm", out, 1)
		}
		for j := range stem.blocks(i) {
			l.residualBlock(stemBlockName(i, j), out)
		}
		in = out
	}
}

func stemName(i int) string         { return fmt.Sprintf("local_model.stem.%d", i) }
func stemBlockName(i, j int) string { return fmt.Sprintf("local_model.stem.%d.blocks.%d", i, j) }
func stageName(i int) string        { return fmt.Sprintf("vision_model.encoder.stages.%d", i) }

func (l *paramList) stage(i int) {
	c, name := l.config, stageName(i)
	for b := range c.Depths[i] {
		block := fmt.Sprintf("%s.layers.%d", name, b)
		l.norm(block+".layer_norm1", c.Width)
		l.attention(block+".self_attn", "out_proj", c.Width, drawNormal(0.02), drawNormal(0.02))
		l.norm(block+".layer_norm2", c.Width)
		l.mlp(block+".mlp", c.Width, c.MLPRatio*c.Width, c.Width)
	}
	s := c.GroupTokens[i]
	if s == 0 {
		return
	}
	if i == 0 {
		l.add(name+".group_token", l.firstTokens(), 1, s, c.Width)
	} else {
		// The projector's output is all there is at the start.
		l.add(name+".group_token", drawConstant(0), 1, s, c.Width)
		l.norm(name+".group_projector.0", c.Width)
		l.mlp(name+".group_projector.1", c.GroupTokens[i-1], c.mixerWidth(), s)
	}
	l.grouping(name+".downsample", s, c.OutputGroups[i])
}

func (l *paramList) firstTokens() draw {
	if std := l.config.Variant.GroupTokenStd; std > 0 {
		return drawTruncated(std)
	}
	return drawNormal(0.02)
}

func (l *paramList) grouping(name string, s, g int) {
	c, d := l.config, l.config.Width
	normal := drawNormal(0.02)
	l.norm(name+".norm_tokens", d)
	l.norm(name+".norm_x", d)
	if !c.Variant.NoTokenMixer {
		l.mlp(name+".mlp_inter", s, c.mixerWidth(), g)
	}
	l.norm(name+".norm_post_tokens", d)
	l.attention(name+".pre_assign_attn.attn", "out_proj", d, normal, normal)
	l.norm(name+".pre_assign_attn.norm2", d)
	l.mlp(name+".pre_assign_attn.mlp", d, c.MLPRatio*d, d)
	l.norm(name+".pre_assign_attn.norm_post", d)
	l.attention(name+".assign", "proj", d, normal, normal)
	l.norm(name+".norm_new_x", d)
	l.mlp(name+".mlp_channels", d, c.ChannelRatio()*d, d)
}

func (l *paramList) attention(name, out string, width int, in, outWeight draw) {
	for _, part := range []string{"q_proj", "k_proj", "v_proj"} {
		l.linearWith(name+"."+part, width, width, in, drawConstant(0))
	}
	l.linearWith(name+"."+out, width, width, outWeight, drawConstant(0))
}

func (l *paramList) text() {
	t := l.config.Text
	l.add("text_model.embeddings.token_embedding.weight", drawNormal(0.02), t.Vocabulary, t.Width)
	l.add("text_model.embeddings.position_embedding.weight", drawNormal(0.01), t.Context, t.Width)
	in, out, fc := textDeviations(t)
	hidden := t.MLPRatio * t.Width
	for n := range t.Depth {
		name := fmt.Sprintf("text_model.encoder.layers.%d", n)
		l.norm(name+".layer_norm1", t.Width)
		l.attention(name+".self_attn", "out_proj", t.Width, drawNormal(in), drawNormal(out))
		l.norm(name+".layer_norm2", t.Width)
		l.linearWith(name+".mlp.fc1", t.Width, hidden, drawNormal(fc), drawUniform(fanIn(t.Width)))
		l.linearWith(name+".mlp.fc2", hidden, t.Width, drawNormal(out), drawUniform(fanIn(hidden)))
	}
	l.norm("text_model.final_layer_norm", t.Width)
}

func (l *paramList) projection(name string, in int) {
	c := l.config
	first, last := drawUniform(fanIn(in)), drawUniform(fanIn(c.ProjectionWidth))
	l.linearWith(name+".0", in, c.ProjectionWidth, first, first)
	if !c.Variant.PlainProjection {
		l.batchNorm(name+".1", c.ProjectionWidth, 1)
	}
	l.linearWith(name+".3", c.ProjectionWidth, c.EmbedWidth, last, last)
}

// mixerWidth is the hidden width of the token-mixing MLPs: half the width.
func (c Config) mixerWidth() int { return max(1, c.Width/2) }

// hasTrunk tells whether any attention stands between the patch embedding and
// the final norm; without it positions have no use.
func (c Config) hasTrunk() bool {
	for i, d := range c.Depths {
		if d > 0 || c.GroupTokens[i] > 0 {
			return true
		}
	}
	return false
}
