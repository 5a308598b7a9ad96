package network

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// embed turns pixels [B, 3, H, W] into tokens [B, h·w, D], row-major, before
// any position: patches or the convolutional stem, then LayerNorm. Pixels right
// and below of the last whole patch are dropped.
//
// stem [B, h, w, D] is the convolutional stem's map before the LayerNorm, nil
// without one.
func (t *tower) embed(pixels *Node) (tokens, stem *Node, h, w int) {
	p := t.config.PatchSize
	dims := pixels.Shape().Dimensions
	h, w = dims[2]/p, dims[3]/p
	if dims[2] != h*p || dims[3] != w*p {
		pixels = Slice(pixels, AxisRange(), AxisRange(), AxisRange(0, h*p), AxisRange(0, w*p))
	}
	if len(t.config.Variant.Stem.Channels) > 0 {
		stem = t.stem(pixels)
		tokens = stem
	} else {
		tokens = t.patches(pixels, h, w)
	}
	tokens = Reshape(tokens, dims[0], h*w, t.config.Width)
	return t.norm("vision_model.embeddings.layernorm", tokens), stem, h, w
}

// patches is the convolution whose stride is its kernel: one product of the
// unfolded patches with the kernel [D, 3, p, p].
func (t *tower) patches(pixels *Node, h, w int) *Node {
	const name = "vision_model.embeddings.patch_embeddings.projection"
	b, p := pixels.Shape().Dimensions[0], t.config.PatchSize
	x := Reshape(pixels, b, 3, h, p, w, p)
	x = TransposeAllAxes(x, 0, 2, 4, 1, 3, 5)
	x = Reshape(x, b*h*w, 3*p*p)
	kernel := Reshape(t.weights(name+".weight"), t.config.Width, 3*p*p)
	if t.mode.BF16 {
		return t.dense(x, kernel, t.weights(name+".bias"))
	}
	y := Dot(x, Transpose(kernel, 0, 1)).MatMul()
	return Add(y, Reshape(t.weights(name+".bias"), 1, t.config.Width))
}

// stem is the convolutional stem; inside it pictures are [B, H, W, channels].
func (t *tower) stem(pixels *Node) *Node {
	stem := t.config.Variant.Stem
	x := TransposeAllAxes(pixels, 0, 2, 3, 1)
	for i := range stem.Channels {
		name := stemName(i)
		x = t.convolve(name+".conv", x, 2)
		last := i == len(stem.Channels)-1
		if stem.BatchNorm {
			x = activation.Relu(t.batchNorm(name+".norm", x))
		} else if !last || stem.blocks(i) > 0 {
			x = activation.Gelu(x)
		}
		for j := range stem.blocks(i) {
			x = t.residualBlock(stemBlockName(i, j), x)
		}
	}
	return x
}

// residualBlock is x + two 3×3 convolutions, with a nonlinearity after each.
func (t *tower) residualBlock(name string, x *Node) *Node {
	if !t.config.Variant.Stem.BatchNorm {
		y := activation.Gelu(t.convolve(name+".conv1", x, 1))
		return activation.Gelu(Add(x, t.convolve(name+".conv2", y, 1)))
	}
	y := activation.Relu(t.batchNorm(name+".norm1", t.convolve(name+".conv1", x, 1)))
	return activation.Relu(Add(x, t.batchNorm(name+".norm2", t.convolve(name+".conv2", y, 1))))
}

// convolve is a 3×3 convolution with one pixel of padding, x [B, H, W, in],
// kernel stored [out, in, 3, 3]. A convolution followed by BatchNorm has no
// bias.
func (t *tower) convolve(name string, x *Node, stride int) *Node {
	kernel := TransposeAllAxes(t.weights(name+".weight"), 2, 3, 1, 0)
	y := Convolve(x, kernel).StridePerAxis(stride, stride).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
	if t.config.Variant.Stem.BatchNorm {
		return y
	}
	return Add(y, Reshape(t.weights(name+".bias"), 1, 1, 1, -1))
}

// positions returns the position embedding for a grid [1, h·w, D]: as learned,
// or resized bicubically where the grid is another one.
func (t *tower) positions(h, w int) *Node {
	p := t.weights("vision_model.embeddings.position_embeddings")
	side := t.config.Grid()
	if h == side && w == side {
		return p
	}
	d := t.config.Width
	p = Reshape(p, side, side, d)
	rows := bicubicMatrix(p.Graph(), p.DType(), side, h)
	columns := bicubicMatrix(p.Graph(), p.DType(), side, w)
	p = Einsum("yi,ijd->yjd", rows, p)
	p = Einsum("xj,yjd->yxd", columns, p)
	return Reshape(p, 1, h*w, d)
}

// bicubicMatrix is the [out, in] matrix of PyTorch's bicubic resize along one
// axis: align_corners false, no antialiasing, a = -0.75, indices clamped.
func bicubicMatrix(g *Graph, dtype dtypes.DType, in, out int) *Node {
	m := make([]float64, out*in)
	for i, taps := range bicubicTaps(in, out) {
		for j, weight := range taps {
			m[i*in+j] = weight
		}
	}
	t := tensors.FromFlatDataAndDimensions(m, out, in)
	return ConvertDType(ConstTensor(g, t), dtype)
}

// bicubicTaps returns for every output the weights of the inputs by index.
func bicubicTaps(in, out int) []map[int]float64 {
	const a = -0.75
	kernel := func(x float64) float64 {
		if x = math.Abs(x); x <= 1 {
			return (a+2)*x*x*x - (a+3)*x*x + 1
		} else if x < 2 {
			return a*x*x*x - 5*a*x*x + 8*a*x - 4*a
		}
		return 0
	}
	taps := make([]map[int]float64, out)
	for i := range taps {
		taps[i] = map[int]float64{}
		s := (float64(i)+0.5)*float64(in)/float64(out) - 0.5
		floor := math.Floor(s)
		for k := -1; k <= 2; k++ {
			j := min(max(int(floor)+k, 0), in-1)
			taps[i][j] += kernel(s - floor - float64(k))
		}
	}
	return taps
}
