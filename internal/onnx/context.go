package onnx

import "fmt"

// contextName is the root of the context branch's tensors.
const contextName = "local_model.context"

// context adds the context branch to local features [B, N, D], from the stem's map
// x [B, D, h, w]; see network.Context. Inside it maps are [B, channels, h, w].
func (t *tower) context(local, x value) value {
	branch := t.config.Variant.Context
	stem := x
	var maps []value
	for i := range branch.Channels {
		name := fmt.Sprintf("%s.down.%d", contextName, i)
		x = t.at(name).relu(t.convolve(name+".conv", name+".norm", x, 2))
		if i < len(branch.Blocks) {
			for j := range branch.Blocks[i] {
				x = t.residualBlock(fmt.Sprintf("%s.blocks.%d", name, j), x)
			}
		}
		maps = append(maps, x)
	}
	s, last := t.at(contextName), len(maps)-1
	whole := t.pointwise(contextName+".global", "", s.mean(maps[last], true, 2, 3))
	y := s.add(maps[last], whole)
	for i := last - 1; i >= 0; i-- {
		name := fmt.Sprintf("%s.up.%d", contextName, i)
		up := t.at(name)
		y = up.concat(1, up.enlarge(y, maps[i]), maps[i])
		y = t.residualBlock(name+".block", up.relu(t.pointwise(name+".conv", name+".norm", y)))
	}
	y = s.enlarge(t.pointwise(contextName+".out", "", y), stem)
	local = s.add(local, s.transpose(s.reshape(y, 0, 0, -1), 0, 2, 1))
	if branch.MLP > 0 {
		const name = contextName + ".mlp"
		local = t.at(name).add(local, t.mlp(name, t.norm(name+".layer_norm", local)))
	}
	return local
}

// pointwise is a linear layer over the channels of a map: with its bias, or with the
// BatchNorm that follows folded in.
func (t *tower) pointwise(name, norm string, x value) value {
	weight, bias := name+".weight", name+".bias"
	given := bias
	if norm != "" {
		given = ""
	}
	w, b := t.folded(norm, weight, given)
	shape := t.shapes[weight]
	kernel := t.parameter(weight, "as a 1×1 convolution"+foldedIn(norm), w, shape[0], shape[1], 1, 1)
	return t.at(name).convolve(x, kernel, t.parameter(bias, "", b, shape[0]), 1, 1, 0)
}

// enlarge resizes a map bilinearly to the height and width of another.
func (s scope) enlarge(x, like value) value {
	sizes := s.concat(0, s.sizes(x, 0, 2), s.sizes(like, 2, 4))
	return s.node("Resize", []value{x, "", "", sizes}, text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel"))
}
