package speed

import "github.com/groupvit/groupvit/internal/network"

// Cost counts multiply-adds of matrix products and convolutions of one forward
// pass, the usual measure; norms, activations, softmax and additions are left
// out. Twice the number is FLOP.

// ImageCost counts the image tower for one picture of height × width pixels,
// up to the final LayerNorm: 3.968 G for the published network at 224 × 224,
// 13.791 G at 448 × 448.
func ImageCost(c network.Config, height, width int) int64 {
	d, v := int64(c.Width), c.Variant
	tokens := int64(height/c.PatchSize) * int64(width/c.PatchSize)
	total := embedCost(c, height, width)
	total += 2 * tokens * d * int64(v.LocalMLP)
	previous := int64(0) // group tokens of the stage before
	for i, depth := range c.Depths {
		s, g := int64(c.GroupTokens[i]), int64(c.OutputGroups[i])
		total += int64(depth) * blockCost(tokens+s, d, int64(c.MLPRatio))
		if s == 0 {
			continue
		}
		mixer := max(1, d/2)
		if i > 0 {
			total += d * mixer * (previous + s) // group projector
		}
		total += groupingCost(c, tokens, s, g)
		tokens, previous = g, s
	}
	return total
}

// embedCost counts the patch embedding or the convolutional stem.
func embedCost(c network.Config, height, width int) int64 {
	stem := c.Variant.Stem
	if len(stem.Channels) == 0 {
		p := int64(c.PatchSize)
		return int64(height/c.PatchSize) * int64(width/c.PatchSize) * 3 * p * p * int64(c.Width)
	}
	total, in, h, w := int64(0), int64(3), int64(height), int64(width)
	for i, channels := range stem.Channels {
		out := int64(channels)
		h, w = (h+1)/2, (w+1)/2
		total += h * w * 9 * in * out
		if i < len(stem.Blocks) {
			total += int64(stem.Blocks[i]) * 2 * h * w * 9 * out * out
		}
		in = out
	}
	return total
}

// blockCost counts a transformer block of l tokens of width d.
func blockCost(l, d, ratio int64) int64 {
	return 4*l*d*d + 2*l*l*d + 2*ratio*l*d*d
}

// groupingCost counts a grouping block: l tokens, s group tokens, g groups.
func groupingCost(c network.Config, l, s, g int64) int64 {
	d, ratio := int64(c.Width), int64(c.MLPRatio)
	mixer := max(1, d/2)
	if c.Variant.NoTokenMixer {
		mixer, g = 0, s
	}
	total := d * mixer * (s + g)
	total += 2*g*d*d + 2*l*d*d + 2*g*l*d // cross attention before the assignment
	total += 2 * ratio * g * d * d       // its MLP
	total += 2*g*d*d + 2*l*d*d           // assignment: query and output, key and value
	total += 2 * g * l * d               // its logits and its means
	if c.Variant.NoGroupResidual {
		total += g * l * d // the mean of the values' input
	}
	return total + 2*int64(c.ChannelRatio())*g*d*d
}

// TextCost counts the text tower for one text of length ids: 0.763 G for the
// published network at 77.
func TextCost(c network.Config, length int) int64 {
	t := c.Text
	return int64(t.Depth) * blockCost(int64(length), int64(t.Width), int64(t.MLPRatio))
}

// ImageHeadCost counts what projects one picture into the shared space when a
// map is asked for: the pooled feature, every group, every patch, as far as the
// network has them.
func ImageHeadCost(c network.Config, height, width int) int64 {
	v := c.Variant
	rows := int64(c.Groups())
	if !v.PatchPooled && !v.AreaWeighted {
		rows++
	}
	if v.PatchEmbeddings != "" {
		rows += int64(height/c.PatchSize) * int64(width/c.PatchSize)
	}
	return rows * headCost(c, c.Width)
}

// TextHeadCost counts the projection of one text.
func TextHeadCost(c network.Config) int64 { return headCost(c, c.Text.Width) }

func headCost(c network.Config, in int) int64 {
	return int64(in)*int64(c.ProjectionWidth) + int64(c.ProjectionWidth)*int64(c.EmbedWidth)
}

// TrainCost counts a training step of a batch forward and backward, taken as
// three times the forward pass: pictures, their captions, and prompts nouns a
// picture, texts of length ids. Losses and the optimizer are left out.
func TrainCost(c network.Config, size, batch, prompts, length int) int64 {
	picture := ImageCost(c, size, size) + ImageHeadCost(c, size, size)
	text := TextCost(c, length) + TextHeadCost(c)
	return 3 * int64(batch) * (picture + int64(1+prompts)*text)
}
