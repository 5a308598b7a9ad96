package network

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrConfig is wrapped by every error about a configuration.
var ErrConfig = errors.New("bad network configuration")

// LayerNormEpsilon is the epsilon of every LayerNorm and BatchNorm of GroupViT.
const LayerNormEpsilon = 1e-5

// Config describes a network of any size. [Default] is the published one; the
// zero value is not valid.
type Config struct {
	// ImageSize is the side of the training picture in pixels; the learned
	// position embedding has (ImageSize/PatchSize)² entries.
	ImageSize int
	// PatchSize is the side of a patch in pixels: 4, 8 or 16.
	PatchSize int
	// Width is D, the width of the image tower.
	Width int
	// Depths is the number of transformer blocks of each stage.
	Depths []int
	// Heads is the number of attention heads of each stage.
	Heads []int
	// GroupTokens is S, the number of group tokens of each stage. A stage with
	// group tokens ends in a grouping block, one without (0) does not.
	GroupTokens []int
	// OutputGroups is G, the number of groups a stage's grouping block puts
	// out; ignored where GroupTokens is 0.
	OutputGroups []int
	// MLPRatio is the width of a block's MLP over Width.
	MLPRatio int
	// GroupMLPRatio is the width of the grouping block's last MLP, which follows
	// the assignment, over Width; 0 means MLPRatio.
	GroupMLPRatio int
	// AssignEpsilon is added to the number of tokens of a group before the
	// group's mean is taken (1 in the paper's code).
	AssignEpsilon float64
	// DropPath is the drop probability of the last block's branches in
	// training; it rises linearly from 0 at the first block.
	DropPath float64

	// Text is the text tower.
	Text TextConfig

	// ProjectionWidth is the hidden width of both projection heads.
	ProjectionWidth int
	// EmbedWidth is P, the width of the space shared by pictures and texts.
	EmbedWidth int
	// Temperature is the initial temperature of both losses (0.07).
	Temperature float64
	// NounLoss says that the network has a temperature of its own for the
	// multi-label (noun) loss.
	NounLoss bool

	// Variant holds what goes beyond the paper. Its zero value is the paper's
	// network.
	Variant Variant
}

// TextConfig describes the text tower, which is CLIP's, narrower.
type TextConfig struct {
	// Vocabulary is the number of token ids.
	Vocabulary int
	// Context is the largest number of positions, start and end included.
	Context int
	// Width is C.
	Width int
	// Depth is the number of blocks.
	Depth int
	// Heads is the number of attention heads.
	Heads int
	// MLPRatio is the width of a block's MLP over Width.
	MLPRatio int
}

// Default returns the configuration of both published checkpoints: 224 px,
// patch 16, two grouping stages with 64 and 8 groups (paper, §4.1).
func Default() Config {
	return Config{
		ImageSize: 224, PatchSize: 16, Width: 384,
		Depths: []int{6, 3, 3}, Heads: []int{6, 6, 6},
		GroupTokens: []int{64, 8, 0}, OutputGroups: []int{64, 8, 0},
		MLPRatio: 4, AssignEpsilon: 1, DropPath: 0.1,
		Text:            TextConfig{Vocabulary: 49408, Context: 77, Width: 256, Depth: 12, Heads: 4, MLPRatio: 4},
		ProjectionWidth: 4096, EmbedWidth: 256,
		Temperature: 0.07, NounLoss: true,
	}
}

// Stages returns the number of stages.
func (c Config) Stages() int { return len(c.Depths) }

// Grid returns the side of the token grid at the training size.
func (c Config) Grid() int { return c.ImageSize / c.PatchSize }

// HasGroups tells whether the network has any grouping block.
func (c Config) HasGroups() bool {
	return slices.ContainsFunc(c.GroupTokens, func(s int) bool { return s > 0 })
}

// StageGroups returns the output groups of each grouping stage, in order; none for a
// network without groups.
func (c Config) StageGroups() []int {
	list := []int{}
	for i, tokens := range c.GroupTokens {
		if tokens > 0 {
			list = append(list, c.OutputGroups[i])
		}
	}
	return list
}

// ChannelRatio returns GroupMLPRatio, or MLPRatio where that is 0.
func (c Config) ChannelRatio() int {
	if c.GroupMLPRatio == 0 {
		return c.MLPRatio
	}
	return c.GroupMLPRatio
}

// Groups returns the number of groups the last grouping block puts out, 0
// without one.
func (c Config) Groups() int {
	for i := len(c.GroupTokens) - 1; i >= 0; i-- {
		if c.GroupTokens[i] > 0 {
			return c.OutputGroups[i]
		}
	}
	return 0
}

// IsPaper tells whether the network is the paper's, without any variant.
func (c Config) IsPaper() bool { return c.Variant.isZero() }

// Map tells from where a segmentation map is read: the groups (the paper), the
// patches, or both.
func (c Config) Map() MapSource {
	if c.Variant.Map == "" {
		return MapGroups
	}
	return c.Variant.Map
}

// Bounds of a configuration that is read from outside: wide enough for any
// network that fits a machine, narrow enough that no size overflows.
const (
	maxSide   = 4096
	maxWidth  = 16384
	maxDepth  = 256
	maxTokens = 4096
	maxVocab  = 1 << 20
)

// Validate returns an error that wraps [ErrConfig] and names the field, the
// value and what is allowed, or nil.
func (c Config) Validate() error {
	in := func(name string, v, low, high int) error {
		if v < low || v > high {
			return fmt.Errorf("%w: %s is %d, allowed are %d to %d", ErrConfig, name, v, low, high)
		}
		return nil
	}
	checks := []error{
		in("patch size", c.PatchSize, 1, 64),
		in("image size", c.ImageSize, c.PatchSize, maxSide),
		in("width", c.Width, 1, maxWidth),
		in("number of stages", len(c.Depths), 1, 3),
		in("MLP ratio", c.MLPRatio, 1, 64),
		in("MLP ratio of the grouping blocks", c.GroupMLPRatio, 0, 64),
		in("projection width", c.ProjectionWidth, 1, 1<<17),
		in("embedding width", c.EmbedWidth, 1, maxWidth),
		in("text vocabulary", c.Text.Vocabulary, 3, maxVocab),
		in("text context", c.Text.Context, 3, maxTokens),
		in("text width", c.Text.Width, 1, maxWidth),
		in("text depth", c.Text.Depth, 1, maxDepth),
		in("text heads", c.Text.Heads, 1, c.Text.Width),
		in("text MLP ratio", c.Text.MLPRatio, 1, 64),
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	if c.ImageSize%c.PatchSize != 0 {
		return fmt.Errorf("%w: image size %d is no multiple of the patch size %d", ErrConfig, c.ImageSize, c.PatchSize)
	}
	if c.Text.Width%c.Text.Heads != 0 {
		return fmt.Errorf("%w: text width %d is no multiple of its %d heads", ErrConfig, c.Text.Width, c.Text.Heads)
	}
	if !positive(c.AssignEpsilon) || !positive(c.Temperature) || !(c.DropPath >= 0 && c.DropPath < 1) {
		return fmt.Errorf("%w: assign epsilon %g and temperature %g must be positive and finite, drop path %g in [0, 1)",
			ErrConfig, c.AssignEpsilon, c.Temperature, c.DropPath)
	}
	if err := c.validateStages(); err != nil {
		return err
	}
	return c.Variant.validate(c)
}

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

func (c Config) validateStages() error {
	n := len(c.Depths)
	if len(c.Heads) != n || len(c.GroupTokens) != n || len(c.OutputGroups) != n {
		return fmt.Errorf("%w: depths, heads, group tokens and output groups need one entry a stage, found %d, %d, %d, %d",
			ErrConfig, n, len(c.Heads), len(c.GroupTokens), len(c.OutputGroups))
	}
	for i := range n {
		if c.Depths[i] < 0 || c.Depths[i] > maxDepth {
			return fmt.Errorf("%w: stage %d has %d blocks, allowed are 0 to %d", ErrConfig, i, c.Depths[i], maxDepth)
		}
		if h := c.Heads[i]; h < 1 || c.Width%h != 0 {
			return fmt.Errorf("%w: stage %d has %d heads, which do not divide the width %d", ErrConfig, i, h, c.Width)
		}
		s, g := c.GroupTokens[i], c.OutputGroups[i]
		if s < 0 || s > maxTokens || s > 0 && (g < 1 || g > maxTokens) {
			return fmt.Errorf("%w: stage %d has %d group tokens and %d output groups, allowed are up to %d",
				ErrConfig, i, s, g, maxTokens)
		}
		if s > 0 && i > 0 && c.GroupTokens[i-1] == 0 {
			return fmt.Errorf("%w: stage %d has group tokens but stage %d has none", ErrConfig, i, i-1)
		}
	}
	return nil
}
