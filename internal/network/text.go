package network

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/attention"
)

// TextOutput holds what the text tower computes.
type TextOutput struct {
	// Pooled [B, C] is the feature of the text after the final LayerNorm.
	Pooled *Node
	// Embedding [B, P] is the text in the shared space, not normalised.
	Embedding *Node
	// Updates holds new running statistics by parameter name (training).
	Updates map[string]*Node
}

// Text is the text tower and its projection head: ids, int32 [B, T] with T at
// most the context, each row start, words, end (the largest id), padding.
// Padding after the end changes nothing, so a batch may be cut after its last
// end token.
func Text(w Weights, c Config, ids *Node, m Mode) TextOutput {
	return TextHead(w, c, TextTower(w, c, ids, m), m)
}

// TextTower is the text tower without its projection head: ids as of [Text] to
// pooled features [B, C]. Each row depends on one text alone.
func TextTower(w Weights, c Config, ids *Node, m Mode) *Node {
	t := newTower(w, c, m)
	dims := ids.Shape().Dimensions
	table := t.weights("text_model.embeddings.token_embedding.weight")
	x := Gather(table, InsertAxes(ids, -1))
	positions := t.weights("text_model.embeddings.position_embedding.weight")
	x = Add(x, InsertAxes(SliceAxis(positions, 0, AxisRange(0, dims[1])), 0))
	end := ArgMax(ids, -1, dtypes.Int32) // [B], the first of the largest
	options := t.textAttention(end, dims[1])
	for n := range c.Text.Depth {
		x = t.textBlock(fmt.Sprintf("text_model.encoder.layers.%d", n), x, options)
	}
	// LayerNorm works on each position alone, so for the paper's end token it may
	// stand after the pooling; the mean over words wants it there.
	return t.norm("text_model.final_layer_norm", t.poolText(x, end))
}

// TextHead projects the pooled features of a whole batch into the shared space.
func TextHead(w Weights, c Config, pooled *Node, m Mode) TextOutput {
	t := newTower(w, c, m)
	return TextOutput{Pooled: pooled, Embedding: t.project("text_projection", pooled), Updates: t.updates}
}

// UnitTexts projects pooled features [B, C] and divides by the norm, as the losses
// compare texts: [B, P].
func UnitTexts(w Weights, c Config, pooled *Node, m Mode) *Node {
	return unit(TextHead(w, c, pooled, m).Embedding)
}

// textAttention is causal in the paper. The variant that averages over words
// lets every word see every other and hides the padding.
func (t *tower) textAttention(end *Node, length int) attention.CoreOptions {
	if t.config.Variant.noMeanText() {
		return attention.CoreOptions{UseCausalMask: true}
	}
	at, last := positionsUpTo(end, length)
	return attention.CoreOptions{AttentionMask: InsertAxes(LessOrEqual(at, last), 1, 1)}
}

// positionsUpTo returns every position's number and, beside it, the row's last
// one that counts: both int32 [B, T].
func positionsUpTo(last *Node, length int) (at, limit *Node) {
	batch := last.Shape().Dimensions[0]
	at = Iota(last.Graph(), shapes.Make(dtypes.Int32, batch, length), 1)
	return at, BroadcastToDims(InsertAxes(last, -1), batch, length)
}

// wordMask is true at the words, between start and end: [B, T]. A text without
// words is its end token.
func wordMask(end *Node, length int) *Node {
	at, last := positionsUpTo(Max(AddScalar(end, -1), OnesLike(end)), length)
	return LogicalAnd(GreaterOrEqual(at, OnesLike(at)), LessOrEqual(at, last))
}

func (t *tower) textBlock(name string, x *Node, o attention.CoreOptions) *Node {
	y := t.norm(name+".layer_norm1", x)
	x = Add(x, t.attend(name+".self_attn", "out_proj", t.config.Text.Heads, y, y, o))
	y = t.linear(name+".mlp.fc1", t.norm(name+".layer_norm2", x))
	return Add(x, t.linear(name+".mlp.fc2", quickGelu(y)))
}

// poolText takes the end token's row, or the mean over the words, which
// leaves out start and end: in a short prompt they would outweigh the word
// (variant).
func (t *tower) poolText(x, end *Node) *Node {
	length := x.Shape().Dimensions[1]
	var weight *Node // [B, T]
	if t.config.Variant.noMeanText() {
		weight = OneHot(end, length, x.DType())
	} else {
		weight = ConvertDType(wordMask(end, length), x.DType())
		weight = Div(weight, ReduceAndKeep(weight, ReduceSum, -1))
	}
	return ReduceSum(Mul(x, InsertAxes(weight, -1)), 1)
}
