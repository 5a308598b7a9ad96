package network

import (
	"fmt"
	"reflect"
	"slices"
)

// MapSource says from where a segmentation map is read.
type MapSource string

// The sources of a segmentation map.
const (
	// MapGroups reads the map from the groups and the patches assigned to them
	// (the paper).
	MapGroups MapSource = "groups"
	// MapPatches reads it from the projected local patches.
	MapPatches MapSource = "patches"
	// MapBoth takes the mean of both.
	MapBoth MapSource = "both"
)

// Variant holds the options beyond the paper, all off in the zero value. They
// exist because with little data a token of a transformer learns to answer for
// words whose thing stands elsewhere in the picture; values that stay local
// cannot.
type Variant struct {
	// Stem replaces the patch embedding by 3×3 convolutions of stride 2.
	Stem Stem `json:"stem,omitzero"`
	// LocalMLP is the hidden width of an MLP on the stem's tokens before any
	// attention: local features f = e + MLP(LN(e)); 0 leaves f = e.
	LocalMLP int `json:"local_mlp,omitempty"`
	// Context adds what stands around a patch to its local features.
	Context Context `json:"context,omitzero"`
	// LocalValues lets the first grouping block pool the local features f
	// instead of the tokens that went through attention.
	LocalValues bool `json:"local_values,omitempty"`
	// NoTokenMixer leaves out the grouping blocks' token-mixing MLP.
	NoTokenMixer bool `json:"no_token_mixer,omitempty"`
	// NoGroupResidual leaves out the residual o + ĝ of the grouping block and
	// adds the assignment-weighted mean of the values' input instead.
	NoGroupResidual bool `json:"no_group_residual,omitempty"`
	// SoftAssign assigns softly in training and evaluation, without noise.
	SoftAssign bool `json:"soft_assign,omitempty"`
	// AssignScale, if positive, centres the assignment logits of a picture
	// over tokens and over groups, divides them by their root mean square and
	// multiplies them by this number.
	AssignScale float64 `json:"assign_scale,omitempty"`
	// AssignGuard is added to that root mean square.
	AssignGuard float64 `json:"assign_guard,omitempty"`
	// AreaWeighted makes the image vector the mean of the projected groups
	// weighted by min(1, G · share of the tokens).
	AreaWeighted bool `json:"area_weighted,omitempty"`
	// PatchEmbeddings projects patches into the shared space: "local" takes
	// the local features, "trunk" the tokens after the last block.
	PatchEmbeddings string `json:"patch_embeddings,omitempty"`
	// PatchPooled makes the image vector the mean of the projected patches.
	PatchPooled bool `json:"patch_pooled,omitempty"`
	// NounsAgainst lists what the noun loss compares words with: "pooled" (the
	// paper, the default), "groups", "patches", "global" (the context branch's
	// vector of the whole image); each named adds a term.
	NounsAgainst []string `json:"nouns_against,omitempty"`
	// NounSharpness is β of the softmax that weighs groups or patches by their
	// likeness to the word (10).
	NounSharpness float64 `json:"noun_sharpness,omitempty"`
	// Map says from where the segmentation map is read.
	Map MapSource `json:"map,omitempty"`
	// PlainProjection uses linear, GELU, linear for both projection heads,
	// without BatchNorm.
	PlainProjection bool `json:"plain_projection,omitempty"`
	// TextPooling is "end" (the paper: the end token's position, causal
	// attention) or "mean": the words, without start and end, averaged, then the
	// final LayerNorm; padding masked, no causal mask.
	TextPooling string `json:"text_pooling,omitempty"`
	// LogitBias gives each loss a learned bias beside its temperature, which the
	// sigmoid loss needs.
	LogitBias bool `json:"logit_bias,omitempty"`
	// XavierInit draws linear weights Xavier-uniform instead of N(0, 0.02²).
	XavierInit bool `json:"xavier_init,omitempty"`
	// GroupTokenStd is the deviation of the first stage's group tokens at the
	// start (0.02 in the paper), cut at two deviations.
	GroupTokenStd float64 `json:"group_token_std,omitempty"`
}

// Stem is a convolutional stem: each entry of Channels is one 3×3 convolution
// of stride 2, followed by Blocks residual blocks of two 3×3 convolutions.
type Stem struct {
	// Channels is the width after each halving; the last equals the tower's.
	Channels []int `json:"channels,omitempty"`
	// Blocks is the number of residual blocks after each halving (may be
	// shorter than Channels).
	Blocks []int `json:"blocks,omitempty"`
	// BatchNorm puts BatchNorm and ReLU after every convolution. Without it
	// GELU stands between the convolutions and nothing after the last.
	BatchNorm bool `json:"batch_norm,omitempty"`
}

func (s Stem) blocks(i int) int {
	if i < len(s.Blocks) {
		return s.Blocks[i]
	}
	return 0
}

// Context is a branch of convolutions above the stem that sees the whole image:
// each entry of Channels halves the map once more (strides 16, 32, … of a stem of
// stride 8), the mean over the last map is added to each of its places, and the
// way back up to the stem's grid joins the maps by bilinear interpolation, as a
// feature pyramid does (Lin et al., CVPR 2017). Its output is added to the local
// features and starts at zero, so that a network grown by it computes at first
// what it computed without.
//
// With captions alone such a branch harms the map, since a patch learns to answer
// for what stands elsewhere in the image; on label maps it is what helps most.
type Context struct {
	// Channels is the width after each halving; none is no branch.
	Channels []int `json:"channels,omitempty"`
	// Blocks is the number of residual blocks after each halving (may be shorter
	// than Channels).
	Blocks []int `json:"blocks,omitempty"`
	// MLP is the hidden width of an MLP on the sum of local features and context;
	// 0 leaves it out.
	MLP int `json:"mlp,omitempty"`
}

func (x Context) blocks(i int) int {
	if i < len(x.Blocks) {
		return x.Blocks[i]
	}
	return 0
}

func (x Context) validate(stem Stem) error {
	n := len(x.Channels)
	switch {
	case n == 0 && (len(x.Blocks) > 0 || x.MLP != 0):
		return fmt.Errorf("context blocks and mlp need context channels")
	case n == 0:
		return nil
	case n > 4 || len(x.Blocks) > n:
		return fmt.Errorf("context has %d halvings and %d entries of blocks, allowed are up to 4 and as many", n, len(x.Blocks))
	case !stem.BatchNorm:
		return fmt.Errorf("context needs a convolutional stem with batch_norm")
	case x.MLP < 0 || x.MLP > 1<<17:
		return fmt.Errorf("context mlp is %d, allowed are 0 to %d", x.MLP, 1<<17)
	}
	for i, ch := range x.Channels {
		if ch < 1 || ch > maxWidth || x.blocks(i) < 0 || x.blocks(i) > maxDepth {
			return fmt.Errorf("context step %d has %d channels and %d blocks", i, ch, x.blocks(i))
		}
	}
	return nil
}

// Values of the Variant's text fields.
const (
	PatchesLocal   = "local"
	PatchesTrunk   = "trunk"
	AgainstPooled  = "pooled"
	AgainstGroups  = "groups"
	AgainstPatches = "patches"
	AgainstGlobal  = "global"
	PoolEnd        = "end"
	PoolMean       = "mean"
)

func (v Variant) isZero() bool { return reflect.ValueOf(v).IsZero() }

func (v Variant) nounsAgainst() []string {
	if len(v.NounsAgainst) == 0 {
		return []string{AgainstPooled}
	}
	return v.NounsAgainst
}

func (v Variant) noMeanText() bool { return v.TextPooling != PoolMean }

func (v Variant) validate(c Config) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: variant: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	if n := len(v.Stem.Channels); n > 0 {
		if n > 6 || 1<<n != c.PatchSize {
			return bad("a stem of %d halvings gives patches of %d, the patch size is %d", n, 1<<min(n, 6), c.PatchSize)
		}
		if v.Stem.Channels[n-1] != c.Width {
			return bad("the stem ends with %d channels, the width is %d", v.Stem.Channels[n-1], c.Width)
		}
		for i, ch := range v.Stem.Channels {
			if ch < 1 || ch > maxWidth || v.Stem.blocks(i) < 0 || v.Stem.blocks(i) > maxDepth {
				return bad("stem step %d has %d channels and %d blocks", i, ch, v.Stem.blocks(i))
			}
		}
	} else if len(v.Stem.Blocks) > 0 || v.Stem.BatchNorm {
		return bad("stem blocks and BatchNorm need stem channels")
	}
	if len(v.Stem.Blocks) > len(v.Stem.Channels) {
		return bad("%d entries of stem blocks for %d halvings", len(v.Stem.Blocks), len(v.Stem.Channels))
	}
	if err := v.Context.validate(v.Stem); err != nil {
		return bad("%v", err)
	}
	if slices.Contains(v.NounsAgainst, AgainstGlobal) && len(v.Context.Channels) == 0 {
		return bad("nouns_against global needs a context branch")
	}
	if v.LocalMLP < 0 || v.LocalMLP > 1<<17 {
		return bad("local_mlp is %d, allowed are 0 to %d", v.LocalMLP, 1<<17)
	}
	for name, x := range map[string]float64{
		"assign_scale": v.AssignScale, "assign_guard": v.AssignGuard,
		"noun_sharpness": v.NounSharpness, "group_token_std": v.GroupTokenStd,
	} {
		if x != 0 && !positive(x) {
			return bad("%s is %g, it must be 0 or positive and finite", name, x)
		}
	}
	for i, s := range c.GroupTokens {
		if v.NoTokenMixer && s > 0 && s != c.OutputGroups[i] {
			return bad("without the token mixer stage %d has as many groups as group tokens, found %d and %d", i, c.OutputGroups[i], s)
		}
	}
	oneOf := func(name, value string, allowed ...string) error {
		if value == "" || slices.Contains(allowed, value) {
			return nil
		}
		return bad("%s is %q, allowed are %q", name, value, allowed)
	}
	for _, err := range []error{
		oneOf("patch_embeddings", v.PatchEmbeddings, PatchesLocal, PatchesTrunk),
		oneOf("map", string(v.Map), string(MapGroups), string(MapPatches), string(MapBoth)),
		oneOf("text_pooling", v.TextPooling, PoolEnd, PoolMean),
	} {
		if err != nil {
			return err
		}
	}
	for _, a := range v.NounsAgainst {
		if err := oneOf("nouns_against", a, AgainstPooled, AgainstGroups, AgainstPatches, AgainstGlobal); err != nil || a == "" {
			return bad("nouns_against has %q, allowed are pooled, groups, patches, global", a)
		}
	}
	needsPatches := v.PatchPooled || c.Map() != MapGroups || slices.Contains(v.NounsAgainst, AgainstPatches)
	if needsPatches && v.PatchEmbeddings == "" {
		return bad("patch_pooled, a map from patches and nouns against patches need patch_embeddings")
	}
	needsGroups := v.AreaWeighted || v.LocalValues || c.Map() != MapPatches || slices.Contains(v.NounsAgainst, AgainstGroups)
	if needsGroups && !c.HasGroups() {
		return bad("area_weighted, local_values, a map from groups and nouns against groups need a stage with group tokens")
	}
	if v.PatchEmbeddings == PatchesTrunk && c.HasGroups() {
		return bad("patch_embeddings \"trunk\" needs a network without groups")
	}
	if v.AreaWeighted && v.PatchPooled {
		return bad("area_weighted and patch_pooled exclude each other")
	}
	return nil
}
