package network_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// TestOfficialAgainstPort goes through the known differences between the official
// code and the Hugging Face port, and says on which side this network stands.
// Elsewhere: equality of both networks (TestGoldenImage, official; TestPort...,
// port), names and packed query-key-value (goldenWeights), initial values
// (TestInitialValues), the port's segmentation logits (checkLogits), other picture
// sizes (TestPortDefault), the normalisation of pixels (package weights).
func TestOfficialAgainstPort(t *testing.T) {
	t.Run("training has drop path, noise and batch statistics", trainingIsOfficial)
	t.Run("temperatures are clamped at 100", temperatureClamp)
	t.Run("the projector reads the previous stage's group tokens", projectorInput)
	t.Run("the port's config.json has three output group counts", outputGroups)
	t.Run("activations", activations)
	t.Run("a text ends at its first end token", firstEndToken)
	t.Run("padding does not matter", padding)
	t.Run("embeddings are not normalised", notNormalised)
	t.Run("sizes other than the training size work", otherSizes)
}

// tinyRun runs the tiny network in float64 on the plain engine.
func tinyRun(t *testing.T, change func(c *network.Config, params map[string]array), inputs []array,
	build func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node) map[string]array {
	t.Helper()
	c := tinyConfig(t)
	params := tinyWeights(t, c)
	if change != nil {
		change(&c, params)
	}
	return runGraph(t, enginetest.New(t, engine.Go, 1), dtypes.Float64, params, inputs,
		func(w network.Weights, in []*graph.Node) map[string]*graph.Node { return build(c, w, in) })
}

// trainingIsOfficial: constant "noise" shifts all groups alike and changes no
// assignment, so what differs from evaluation is drop path alone, then nothing
// at a rate of 0; and the heads use batch statistics.
func trainingIsOfficial(t *testing.T) {
	pixels := formulaPictures(20, 3, 32, 32)
	pass := func(u float64, rate float64, training bool) (map[string]array, map[int]int) {
		calls := map[int]int{}
		out := tinyRun(t, func(c *network.Config, _ map[string]array) { c.DropPath = rate }, []array{pixels},
			func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node {
				random := func(s shapes.Shape) *graph.Node {
					calls[s.Rank()]++
					return graph.BroadcastToDims(graph.Scalar(in[0].Graph(), s.DType, u), s.Dimensions...)
				}
				i := network.Image(w, c, in[0], network.Mode{Training: training, Random: random})
				return map[string]*graph.Node{"pooled": i.Pooled, "embedding": i.Embedding}
			})
		return out, calls
	}
	evaluation, calls := pass(0.5, 0.3, false)
	if len(calls) != 0 {
		t.Errorf("evaluation drew random numbers: %v", calls)
	}
	kept, calls := pass(0.5, 0, true)
	checkClose(t, "training without drop path", kept["pooled"], evaluation["pooled"], 1e-12)
	if difference(kept["embedding"], evaluation["embedding"]) < 1e-3 {
		t.Error("training does not use the batch's statistics in the projection head")
	}
	if calls[3] < 2 {
		t.Errorf("noise drawn %d times for two grouping blocks", calls[3])
	}
	scaled, calls := pass(0.5, 0.3, true)
	if difference(scaled["pooled"], evaluation["pooled"]) < 1e-3 {
		t.Error("drop path does not scale what it keeps")
	}
	// Four blocks of two branches; the first block's rate is 0.
	if total := calls[3]; total != 2+6 {
		t.Errorf("%d draws, want 2 of noise and 6 of drop path", total)
	}
	dropped, _ := pass(0.999, 0.3, true)
	if difference(dropped["pooled"], scaled["pooled"]) < 1e-3 {
		t.Error("drop path drops nothing")
	}
}

func difference(a, b array) float64 {
	d := 0.0
	for i := range a.f {
		d = max(d, math.Abs(a.f[i]-b.f[i]))
	}
	return d
}

// temperatureClamp: above ln 100 the loss is that of 100, and its gradient by
// the temperature is 0; the port would go on to exp(6) = 403.
func temperatureClamp(t *testing.T) {
	ids := readTensors(t, "tiny", "gradients.safetensors")["ids"]
	loss := func(theta float64) (value, gradient float64) {
		got := tinyRun(t, func(_ *network.Config, params map[string]array) {
			params[network.LogitScale] = array{shape: []int{}, f: []float64{theta}}
		}, []array{formulaPictures(20, 3, 32, 32), {shape: []int{3, ids.shape[1]}, i: ids.i[:3*ids.shape[1]]}},
			func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node {
				l := network.Loss(w, c, network.Batch{Pixels: in[0], Captions: in[1]}, network.Mode{})
				return withGradients(map[string]*graph.Node{"loss": l.Total}, w, l.Total, []string{network.LogitScale})
			})
		return got["loss"].f[0], got["gradient/"+network.LogitScale].f[0]
	}
	at, _ := loss(math.Log(100))
	above, gradient := loss(6)
	if math.Abs(at-above) > 1e-9 || gradient != 0 {
		t.Errorf("loss %.9f with gradient %g above the clamp, %.9f at it", above, gradient, at)
	}
	if below, gradient := loss(4); math.Abs(at-below) < 1e-3 || gradient == 0 {
		t.Errorf("loss %.9f with gradient %g below the clamp, %.9f at it", below, gradient, at)
	}
}

func projectorInput(t *testing.T) {
	c := network.Default()
	c.GroupTokens, c.OutputGroups = []int{32, 8, 0}, []int{16, 8, 0}
	for _, p := range c.Params() {
		switch p.Name {
		case "vision_model.encoder.stages.1.group_projector.1.fc1.weight":
			if !slices.Equal(p.Shape, []int{192, 32}) {
				t.Errorf("%s has shape %v, the official code reads 32 group tokens", p.Name, p.Shape)
			}
		case "vision_model.encoder.stages.1.downsample.mlp_inter.fc1.weight":
			if !slices.Equal(p.Shape, []int{192, 8}) {
				t.Errorf("%s has shape %v", p.Name, p.Shape)
			}
		}
	}
}

func outputGroups(t *testing.T) {
	data, err := network.Default().JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"assign_eps": 1.0`, `"layer_norm_eps": 1e-05`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("config.json lacks %s: the port refuses an integer for a float", want)
		}
	}
	var file struct {
		Vision struct {
			Output []int `json:"num_output_groups"`
			Tokens []int `json:"num_group_tokens"`
		} `json:"vision_config"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(file.Vision.Output, []int{64, 8, 8}) || !slices.Equal(file.Vision.Tokens, []int{64, 8, 0}) {
		t.Errorf("config.json has output groups %v and group tokens %v", file.Vision.Output, file.Vision.Tokens)
	}
	c, err := network.ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Params() {
		if strings.HasPrefix(p.Name, "vision_model.encoder.stages.2.downsample") || p.Name == "vision_model.encoder.stages.2.group_token" {
			t.Errorf("the last stage has %s: it must not group", p.Name)
		}
	}
}

func activations(t *testing.T) {
	data, err := network.Default().JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"hidden_act": "gelu"`, `"hidden_act": "quick_gelu"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("config.json lacks %s", want)
		}
		other := strings.Replace(string(data), want, `"hidden_act": "gelu_new"`, 1)
		if _, err := network.ParseConfig([]byte(other)); err == nil {
			t.Errorf("a config.json with another activation than %s is read without an error", want)
		}
	}
}

// pooledTexts returns the pooled features of rows of token ids.
func pooledTexts(t *testing.T, rows ...[]int32) [][]float64 {
	t.Helper()
	a := array{shape: []int{len(rows), len(rows[0])}, i: slices.Concat(rows...)}
	got := tinyRun(t, nil, []array{a}, func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node {
		return map[string]*graph.Node{"pooled": network.Text(w, c, in[0], network.Mode{}).Pooled}
	})["pooled"]
	var out [][]float64
	for i := range rows {
		out = append(out, got.f[i*got.shape[1]:][:got.shape[1]])
	}
	return out
}

func checkSameTexts(t *testing.T, texts [][]float64) {
	t.Helper()
	for i, p := range texts[1:] {
		checkClose(t, "text "+string(rune('1'+i)), array{f: p}, array{f: texts[0]}, 1e-12)
	}
}

// firstEndToken: a text that holds the end token's literal is pooled at its
// first occurrence, as in both codes for ids that have the end token largest.
func firstEndToken(t *testing.T) {
	checkSameTexts(t, pooledTexts(t,
		[]int32{58, 7, 3, 59, 0, 0, 0, 0},
		[]int32{58, 7, 3, 59, 9, 12, 59, 0}))
}

// padding: 0 as in the official code, the end token as the port's tokenizer
// pads, or nothing (rows cut after the end).
func padding(t *testing.T) {
	padded := pooledTexts(t,
		[]int32{58, 7, 3, 59, 0, 0, 0, 0, 0, 0, 0, 0},
		[]int32{58, 7, 3, 59, 59, 59, 59, 59, 59, 59, 59, 59},
		[]int32{58, 7, 3, 59, 1, 1, 1, 1, 1, 1, 1, 1})
	cut := pooledTexts(t, []int32{58, 7, 3, 59})
	checkSameTexts(t, append(padded, cut...))
}

func notNormalised(t *testing.T) {
	want := readTensors(t, "tiny", "expected.safetensors")
	c := tinyConfig(t)
	got := tinyRun(t, nil, []array{formulaPictures(0, 2, 32, 32), want["ids"]},
		func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node {
			return everything(c)(w, in)
		})
	for _, name := range []string{"image_embedding", "text_embedding"} {
		row := got[name].f[:c.EmbedWidth]
		if n := math.Sqrt(inner(row, row)); math.Abs(n-1) < 0.1 {
			t.Errorf("%s has length %.3f: it looks normalised", name, n)
		}
	}
}

// otherSizes: the port's forward refuses any other size than the network's; this
// network takes every size that holds a patch, and drops what is right and below
// of the last whole patch.
func otherSizes(t *testing.T) {
	pass := func(pixels array) map[string]array {
		return tinyRun(t, nil, []array{pixels}, func(c network.Config, w network.Weights, in []*graph.Node) map[string]*graph.Node {
			i := network.Image(w, c, in[0], network.Mode{})
			return map[string]*graph.Node{"pooled": i.Pooled, "soft": i.Stages[0].Soft}
		})
	}
	for _, size := range [][3]int{{8, 8, 1}, {8, 64, 8}, {40, 47, 25}} {
		if got := pass(formulaPictures(0, 1, size[0], size[1]))["soft"].shape[2]; got != size[2] {
			t.Errorf("%d×%d gives %d tokens, want %d", size[0], size[1], got, size[2])
		}
	}
	whole := formulaPictures(0, 1, 32, 32)
	larger := array{shape: []int{1, 3, 35, 39}, f: make([]float64, 3*35*39)}
	for c := range 3 {
		for y := range 32 {
			copy(larger.f[(c*35+y)*39:][:32], whole.f[(c*32+y)*32:][:32])
		}
	}
	checkClose(t, "remainder dropped", pass(larger)["pooled"], pass(whole)["pooled"], 1e-12)
}
