package onnx

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/network"
)

// pixels puts in pictures [B, 3, H, W]: raw ones are normalised, and what lies
// right and below of the last whole patch is dropped where layers would see it.
func (t *tower) pixels(x value, o Options) value {
	s := t.at("pixels")
	if !o.Normalised {
		row := func(name string, v [3]float32) value { return t.numbers(name, v[:], 3, 1, 1) }
		x = s.div(s.sub(x, row("mean", t.model.Mean)), row("std", t.model.Std))
	}
	p := t.config.PatchSize
	if len(t.config.Variant.Stem.Channels) == 0 || o.fixed() && o.Height%p == 0 && o.Width%p == 0 {
		return x // a convolution by whole patches leaves out the rest by itself
	}
	var ends value
	if o.fixed() {
		ends = t.integers(o.Height/p*p, o.Width/p*p)
	} else {
		patch := t.integers(p)
		ends = s.mul(s.div(s.sizes(x, 2, 4), patch), patch)
	}
	return s.slice(x, t.integers(0, 0), ends, t.integers(2, 3))
}

// embed turns pixels [B, 3, H, W] into tokens [B, h·w, D] before any position, and
// returns the map that they were [B, D, h, w], before the LayerNorm, and the grid
// [h, w] beside them.
func (t *tower) embed(x value, o Options) (tokens, stem, grid value) {
	const layer = "vision_model.embeddings"
	if len(t.config.Variant.Stem.Channels) > 0 {
		x = t.stem(x)
	} else {
		const name = layer + ".patch_embeddings.projection"
		x = t.at(name).convolve(x, t.param(name+".weight"), t.param(name+".bias"), t.config.PatchSize, t.config.PatchSize, 0)
	}
	s := t.at(layer)
	if o.fixed() {
		grid = t.integers(o.Height/t.config.PatchSize, o.Width/t.config.PatchSize)
	} else {
		grid = s.sizes(x, 2, 4)
	}
	tokens = s.transpose(s.reshape(x, 0, 0, -1), 0, 2, 1)
	return t.norm(layer+".layernorm", tokens), x, grid
}

// stem is the convolutional stem.
func (t *tower) stem(x value) value {
	stem := t.config.Variant.Stem
	for i := range stem.Channels {
		name := fmt.Sprintf("local_model.stem.%d", i)
		x = t.convolve(name+".conv", name+".norm", x, 2)
		blocks := 0
		if i < len(stem.Blocks) {
			blocks = stem.Blocks[i]
		}
		if stem.BatchNorm {
			x = t.at(name).relu(x)
		} else if i < len(stem.Channels)-1 || blocks > 0 {
			x = t.at(name).gelu(x)
		}
		for j := range blocks {
			x = t.residualBlock(fmt.Sprintf("%s.blocks.%d", name, j), x)
		}
	}
	return x
}

// residualBlock is x + two 3×3 convolutions, with a nonlinearity after each.
func (t *tower) residualBlock(name string, x value) value {
	s := t.at(name)
	act := s.gelu
	if t.config.Variant.Stem.BatchNorm {
		act = s.relu
	}
	y := act(t.convolve(name+".conv1", name+".norm1", x, 1))
	return act(s.add(x, t.convolve(name+".conv2", name+".norm2", y, 1)))
}

// convolve is a 3×3 convolution with one pixel of padding: with a bias, or with the
// BatchNorm that follows folded in.
func (t *tower) convolve(name, norm string, x value, stride int) value {
	weight, bias := name+".weight", name+".bias"
	about := ""
	var w, b func() []float32
	if t.config.Variant.Stem.BatchNorm {
		w, b = t.folded(norm, weight, "")
		about = norm + " folded in"
	} else {
		w, b = t.folded("", weight, bias)
	}
	shape := t.shapes[weight]
	return t.at(name).convolve(x, t.parameter(weight, about, w, shape...), t.parameter(bias, about, b, shape[0]), 3, stride, 1)
}

// positions are those of a grid: [1, h·w, D], resized by the network's own code
// where the size is fixed, else by the graph.
func (t *tower) positions(o Options, grid value) value {
	const name = "vision_model.embeddings.position_embeddings"
	side, d := t.config.Grid(), t.config.Width
	learned := t.model.Tensors[name] // [side·side, D]
	if o.fixed() {
		h, w := o.Height/t.config.PatchSize, o.Width/t.config.PatchSize
		about := ""
		if h != side || w != side {
			about = fmt.Sprintf("resized from %d×%d to %d×%d", side, side, h, w)
		}
		return t.parameter(name, about, func() []float32 {
			if about == "" {
				return learned
			}
			return network.ResizePositionsTo(learned, side, h, w, d)
		}, 1, h*w, d)
	}
	s := t.at(name)
	axis := t.integers(0)
	rows := s.bicubicMatrix(side, s.slice(grid, t.integers(0), t.integers(1), axis))
	columns := s.bicubicMatrix(side, s.slice(grid, t.integers(1), t.integers(2), axis))
	p := t.parameter(name, "row by row", func() []float32 { return learned }, side, side*d)
	p = s.reshape(s.matMul(rows, p), -1, side, d)
	return s.reshape(s.matMul(columns, p), 1, -1, d)
}
