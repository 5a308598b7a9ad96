package weights

import (
	"fmt"
	"math"
	"strings"

	"github.com/groupvit/groupvit/internal/network"
)

// headWidth is the width of an attention head: a checkpoint does not tell the
// number of heads, but every published network has heads of 64.
const headWidth = 64

// infer reads the configuration of a network without variants off the shapes of
// its tensors, by the port's names.
func infer(views map[string]view) (network.Config, error) {
	c := network.Default()
	in := reader{views: views}
	for name := range views {
		if strings.HasPrefix(name, "local_model.") {
			return c, fmt.Errorf("%w: a network with variants (it has %q) needs its %s beside the weights", ErrWeights, name, ConfigFile)
		}
	}
	patch := in.shape("vision_model.embeddings.patch_embeddings.projection.weight", 4)
	positions := in.shape("vision_model.embeddings.position_embeddings", 3)
	c.Width, c.PatchSize = patch[0], patch[3]
	grid := int(math.Round(math.Sqrt(float64(positions[1]))))
	if in.err == nil && grid*grid != positions[1] {
		in.fail("vision_model.embeddings.position_embeddings", "its %d positions are no square", positions[1])
	}
	c.ImageSize = grid * c.PatchSize
	c.Heads, c.Depths, c.GroupTokens, c.OutputGroups = nil, nil, nil, nil
	for i := range 4 {
		stage := fmt.Sprintf("vision_model.encoder.stages.%d.", i)
		depth := in.count(stage + "layers.%d.layer_norm1.weight")
		tokens, groups := 0, 0
		if in.has(stage + "group_token") {
			tokens = in.shape(stage+"group_token", 3)[1]
			groups = in.shape(stage+"downsample.mlp_inter.fc2.weight", 2)[0]
		}
		if depth == 0 && tokens == 0 {
			break
		}
		c.Depths, c.Heads = append(c.Depths, depth), append(c.Heads, max(1, c.Width/headWidth))
		c.GroupTokens, c.OutputGroups = append(c.GroupTokens, tokens), append(c.OutputGroups, groups)
	}
	if c.Width > 0 && in.has("vision_model.encoder.stages.0.layers.0.mlp.fc1.weight") {
		c.MLPRatio = in.shape("vision_model.encoder.stages.0.layers.0.mlp.fc1.weight", 2)[0] / c.Width
	}
	if last := "vision_model.encoder.stages.0.downsample.mlp_channels.fc1.weight"; c.Width > 0 && in.has(last) {
		if r := in.shape(last, 2)[0] / c.Width; r != c.MLPRatio {
			c.GroupMLPRatio = r
		}
	}
	table := in.shape("text_model.embeddings.token_embedding.weight", 2)
	c.Text.Vocabulary, c.Text.Width = table[0], table[1]
	c.Text.Context = in.shape("text_model.embeddings.position_embedding.weight", 2)[0]
	c.Text.Depth = in.count("text_model.encoder.layers.%d.layer_norm1.weight")
	c.Text.Heads = max(1, c.Text.Width/headWidth)
	if c.Text.Width > 0 {
		c.Text.MLPRatio = in.shape("text_model.encoder.layers.0.mlp.fc1.weight", 2)[0] / c.Text.Width
	}
	c.ProjectionWidth = in.shape("visual_projection.0.weight", 2)[0]
	c.EmbedWidth = in.shape("visual_projection.3.weight", 2)[0]
	c.NounLoss = in.has(network.NounLogitScale)
	if in.err != nil {
		return c, in.err
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("%w: the shapes of the tensors give no network: %w", ErrWeights, err)
	}
	return c, nil
}

// reader looks shapes up and keeps the first error.
type reader struct {
	views map[string]view
	err   error
}

func (r *reader) has(name string) bool {
	_, ok := r.views[name]
	return ok
}

func (r *reader) fail(name, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: no %s, and tensor %q does not tell the configuration: %s", ErrWeights, ConfigFile, name, fmt.Sprintf(format, args...))
	}
}

// shape returns a shape of so many axes, zeros after an error.
func (r *reader) shape(name string, axes int) []int {
	v, ok := r.views[name]
	switch {
	case !ok:
		r.fail(name, "it is missing")
	case len(v.shape) != axes:
		r.fail(name, "shape %v, %d axes are expected", v.shape, axes)
	default:
		return v.shape
	}
	return make([]int, axes)
}

// count returns how many of the names with 0, 1, 2, … there are.
func (r *reader) count(format string) int {
	n := 0
	for r.has(fmt.Sprintf(format, n)) {
		n++
	}
	return n
}
