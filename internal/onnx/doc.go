// Package onnx writes a model as ONNX graphs, which ONNX Runtime and other
// programs run without groupvit: [Image] from pixels to everything that
// segmentation needs, [Text] from token ids to vectors.
//
// The graphs are put together here node by node, method by method as package
// network does it, and not lowered from the graph that GoMLX records, for two
// reasons. What is recorded holds for one size of one batch: the grid of tokens,
// the bicubic weights of the positions and every shape are numbers in it, while a
// graph for photos of any size has to compute them from what it is given. And a
// lowered graph has the engine's operations; this one has the paper's modules,
// each node under the name of its layer (vision_model.encoder.stages.0.layers.3.
// self_attn.q_proj/MatMul), as a reader or a converter of ONNX files wants them.
// The one truth stays in network: its list of parameters says which tensors there
// are, its bicubic taps make the positions of a fixed size, and tests hold every
// variant of it against the graphs, run by the real ONNX Runtime
// (tools/reference/check_onnx.py). An option of [network.Variant] that is not
// known here is refused by its name.
//
// Inference alone is written: groups are assigned by argmax without noise,
// BatchNorm is folded into the layer before it. Weights of linear layers are
// stored [in, out], ready for MatMul. Operators are those of opset 17.
//
// Axis letters in comments are those of package network.
package onnx
