package network

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// contextName is the root of the branch's tensors.
const contextName = "local_model.context"

func contextDownName(i int) string { return fmt.Sprintf("%s.down.%d", contextName, i) }
func contextUpName(i int) string   { return fmt.Sprintf("%s.up.%d", contextName, i) }
func contextBlockName(i, j int) string {
	return fmt.Sprintf("%s.blocks.%d", contextDownName(i), j)
}

// context adds the context branch to local features f [B, h·w, D], from the stem's
// map x [B, h, w, D]; global [B, C] is the mean of the coarsest map, of C channels.
//
//	a_i = blocks(ReLU(BN(conv_i(a_{i−1}))))         stride 2 each, a_{−1} = x
//	g = mean over places of a_n;  y_n = a_n + W g
//	y_i = block(ReLU(BN(W_i [up(y_{i+1}), a_i])))   1×1, up: bilinear
//	f ← f + up(W y_0);  f ← f + MLP(LN f)           W and the MLP's last layer start at 0
func (t *tower) context(f, x *Node) (features, global *Node) {
	branch := t.config.Variant.Context
	dims := x.Shape().Dimensions
	var maps []*Node
	for i := range branch.Channels {
		name := contextDownName(i)
		x = activation.Relu(t.batchNorm(name+".norm", t.convolve(name+".conv", x, 2)))
		for j := range branch.blocks(i) {
			x = t.residualBlock(contextBlockName(i, j), x)
		}
		maps = append(maps, x)
	}
	last := len(maps) - 1
	global = ReduceMean(maps[last], 1, 2)
	y := Add(maps[last], InsertAxes(t.linear(contextName+".global", global), 1, 1))
	for i := last - 1; i >= 0; i-- {
		name := contextUpName(i)
		d := maps[i].Shape().Dimensions
		y = Concatenate([]*Node{upsample(y, d[1], d[2]), maps[i]}, -1)
		y = activation.Relu(t.batchNorm(name+".norm", t.pointwise(name+".conv", y)))
		y = t.residualBlock(name+".block", y)
	}
	y = upsample(t.linear(contextName+".out", y), dims[1], dims[2])
	f = Add(f, Reshape(y, f.Shape().Dimensions...))
	if branch.MLP > 0 {
		f = Add(f, t.mlp(contextName+".mlp", t.norm(contextName+".mlp.layer_norm", f)))
	}
	return f, global
}

// pointwise is a product over the channels of x [B, H, W, in] without bias, for the
// BatchNorm that follows.
func (t *tower) pointwise(name string, x *Node) *Node {
	dims := x.Shape().Dimensions
	kernel := t.weights(name + ".weight") // [out, in]
	y := Dot(Reshape(x, -1, dims[3]), Transpose(kernel, 0, 1)).MatMul()
	return Reshape(y, dims[0], dims[1], dims[2], kernel.Shape().Dimensions[0])
}

// upsample resizes x [B, h, w, C] bilinearly to [B, height, width, C], as PyTorch
// does with align_corners off.
func upsample(x *Node, height, width int) *Node {
	dims := x.Shape().Dimensions
	if dims[1] != height {
		x = Einsum("yi,bijc->byjc", bilinearMatrix(x.Graph(), x.DType(), dims[1], height), x)
	}
	if dims[2] != width {
		x = Einsum("xj,byjc->byxc", bilinearMatrix(x.Graph(), x.DType(), dims[2], width), x)
	}
	return x
}

// bilinearMatrix is the [out, in] matrix of a bilinear resize along one axis.
func bilinearMatrix(g *Graph, dtype dtypes.DType, in, out int) *Node {
	m := make([]float64, out*in)
	for i := range out {
		s := max((float64(i)+0.5)*float64(in)/float64(out)-0.5, 0)
		j := min(int(s), in-1)
		k := min(j+1, in-1)
		m[i*in+j] += 1 - (s - float64(j))
		m[i*in+k] += s - float64(j)
	}
	return ConvertDType(ConstTensor(g, tensors.FromFlatDataAndDimensions(m, out, in)), dtype)
}
