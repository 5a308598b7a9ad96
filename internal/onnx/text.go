package onnx

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
	"github.com/groupvit/groupvit/internal/weights"
)

// hidden is added to the scores of what attention must not see.
const hidden = -1e9

// Text makes the graph of the text tower and its projection head. Its input is
//
//	ids [texts, length]  int64, at most the context long: start, words, end, padding
//
// where the end has the largest id and padding any smaller one, and its output
//
//	text [texts, P]  the texts' unit vectors, float32.
//
// Of the options only names and precision matter. Errors wrap [ErrExport] or
// [network.ErrConfig].
func Text(m *weights.Model, o Options) ([]byte, error) {
	if err := check(m, o); err != nil {
		return nil, err
	}
	g := newGraph("groupvit text", o.Half)
	t, texts := newTower(g, m), axis{name: "texts"}
	ids := g.input("ids", t.idsAbout(), onnxpb.TensorProto_INT64, texts, axis{name: "length"})
	pooled := t.textTower(ids)
	const head = "text_projection"
	g.output("text", "the texts' unit vectors", g.at(head).unit(t.project(head, pooled)), texts, fixed(m.Config.EmbedWidth))
	return g.encode(m, o, t.textMetadata())
}

// textTower is the text tower without its projection head: ids [B, T] to pooled
// features [B, C].
func (t *tower) textTower(ids value) value {
	const layer = "text_model.embeddings"
	s, c := t.at(layer), t.config.Text
	length, zero := s.sizes(ids, 1, 2), t.integers(0)
	upTo := func(table value) value { return s.slice(table, zero, length, zero) } // the first T rows
	x := s.node("Gather", []value{t.param(layer + ".token_embedding.weight"), ids}, integer("axis", 0))
	x = s.add(x, upTo(t.param(layer+".position_embedding.weight")))
	numbers := make([]int, c.Context)
	for i := range numbers {
		numbers[i] = i
	}
	at := upTo(t.wholes("positions", numbers, c.Context)) // [T]
	end := s.argMax(ids, 1)                               // [B], the first of the largest
	mask := t.textMask(at, end)
	for n := range c.Depth {
		x = t.textBlock(fmt.Sprintf("text_model.encoder.layers.%d", n), x, mask)
	}
	return t.norm("text_model.final_layer_norm", t.poolText(x, at, end))
}

// textMask is causal in the paper, [T, T]. The variant that averages over words
// hides the padding alone: [B, 1, 1, T].
func (t *tower) textMask(at, end value) value {
	s := t.at("text_model.encoder")
	var seen value
	if t.config.Variant.TextPooling == network.PoolMean {
		seen = s.atMost(at, s.unsqueeze(end, 1, 2, 3))
	} else {
		seen = s.atMost(at, s.unsqueeze(at, 1))
	}
	return s.where(seen, s.number(0), s.number(hidden))
}

func (t *tower) textBlock(name string, x, mask value) value {
	s := t.at(name)
	y := t.norm(name+".layer_norm1", x)
	x = s.add(x, t.attend(name+".self_attn", "out_proj", t.config.Text.Heads, y, y, mask))
	y = t.linear(name+".mlp.fc1", t.norm(name+".layer_norm2", x))
	m := t.at(name + ".mlp")
	y = m.mul(y, m.sigmoid(m.scale(y, 1.702))) // CLIP's quick GELU
	return s.add(x, t.linear(name+".mlp.fc2", y))
}

// poolText takes the end token's row of x [B, T, C], or the mean over the words,
// without start and end; a text without words is its end token (variant).
func (t *tower) poolText(x, at, end value) value {
	s := t.at("text_model.pool")
	if t.config.Variant.TextPooling != network.PoolMean {
		return s.node("GatherND", []value{x, s.unsqueeze(end, 1)}, integer("batch_dims", 1))
	}
	first := t.integers(1)
	last := s.unsqueeze(s.max(s.sub(end, first), first), 1)           // [B, 1]
	words := s.float(s.both(s.atMost(first, at), s.atMost(at, last))) // [B, T]
	weight := s.unsqueeze(s.div(words, s.sum(words, true, 1)), 1)     // [B, 1, T]
	return s.squeeze(s.matMul(weight, x), 1)
}
