package network_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// The mean text feature is the mean over the words alone: with a block that adds
// nothing, that of their embeddings and positions, normalised. A text without
// words is its end token. Padding changes nothing.
func TestMeanText(t *testing.T) {
	c := network.Default()
	c.Text = network.TextConfig{Vocabulary: 12, Context: 8, Width: 4, Depth: 1, Heads: 2, MLPRatio: 2}
	c.ProjectionWidth, c.EmbedWidth = 6, 4
	c.Variant.TextPooling, c.Variant.PlainProjection = network.PoolMean, true
	params := map[string]array{}
	for name, a := range formulaWeights(c) {
		if !strings.HasPrefix(name, "text") {
			continue
		}
		if strings.Contains(name, "out_proj.") || strings.Contains(name, "mlp.fc2.") {
			a.f = make([]float64, len(a.f))
		}
		params[name] = a
	}
	const start, end = 10, 11
	texts := [][]int32{{start, 3, end}, {start, 3, 7, 7, end}, {start, end}, {start, 1, 2, 3, 4, 5, 6, end}}
	ids := array{shape: []int{len(texts), 8}, i: make([]int32, len(texts)*8)}
	want := array{shape: []int{len(texts), 4}}
	for row, text := range texts {
		copy(ids.i[row*8:], text)
		words, first := text[1:len(text)-1], 1
		if len(words) == 0 {
			words = text[1:]
		}
		mean := make([]float64, 4)
		for i, id := range words {
			for k := range mean {
				x := params["text_model.embeddings.token_embedding.weight"].f[int(id)*4+k]
				x += params["text_model.embeddings.position_embedding.weight"].f[(first+i)*4+k]
				mean[k] += x / float64(len(words))
			}
		}
		want.f = append(want.f, layerNorm(mean, params["text_model.final_layer_norm.weight"].f, params["text_model.final_layer_norm.bias"].f)...)
	}
	out := runGraph(t, enginetest.New(t, engine.Go, 0), dtypes.Float64, params, []array{ids}, func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
		return map[string]*graph.Node{"pooled": network.Text(w, c, in[0], network.Mode{}).Pooled}
	})
	checkClose(t, "pooled", out["pooled"], want, 1e-12)
}

func layerNorm(x, weight, bias []float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(variance+network.LayerNormEpsilon)*weight[i] + bias[i]
	}
	return out
}
