package network_test

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
)

// The golden model is a tiny network whose tensors are filled by a formula over
// the official code's names. Its numbers were computed with that code, rewritten
// in float64, so they check names, layouts and arithmetic without any file.

func goldenConfig() network.Config {
	return network.Config{
		ImageSize: 32, PatchSize: 8, Width: 16, Depths: []int{2, 1, 1}, Heads: []int{2, 2, 2},
		GroupTokens: []int{4, 2, 0}, OutputGroups: []int{4, 2, 0}, MLPRatio: 4, AssignEpsilon: 1, DropPath: 0.1,
		Text:            network.TextConfig{Vocabulary: 50, Context: 8, Width: 64, Depth: 2, Heads: 1, MLPRatio: 4},
		ProjectionWidth: 8, EmbedWidth: 8, Temperature: 0.07,
	}
}

// officialNames rewrites the port's names of both towers into the official
// code's, which packs query, key and value into one tensor.
var officialNames = []struct{ pattern, with string }{
	{`^vision_model\.embeddings\.position_embeddings$`, `img_encoder.pos_embed`},
	{`^vision_model\.embeddings\.patch_embeddings\.projection\.`, `img_encoder.patch_embed.proj.`},
	{`^vision_model\.embeddings\.layernorm\.`, `img_encoder.patch_embed.norm.`},
	{`^vision_model\.layernorm\.`, `img_encoder.norm.`},
	{`^vision_model\.encoder\.stages\.(\d+)\.layers\.(\d+)\.layer_norm`, `img_encoder.layers.$1.blocks.$2.norm`},
	{`^vision_model\.encoder\.stages\.(\d+)\.layers\.(\d+)\.self_attn\.out_proj\.`, `img_encoder.layers.$1.blocks.$2.attn.proj.`},
	{`^vision_model\.encoder\.stages\.(\d+)\.layers\.(\d+)\.self_attn\.[qkv]_proj\.`, `img_encoder.layers.$1.blocks.$2.attn.qkv.`},
	{`^vision_model\.encoder\.stages\.(\d+)\.layers\.(\d+)\.`, `img_encoder.layers.$1.blocks.$2.`},
	{`^vision_model\.encoder\.stages\.(\d+)\.downsample\.pre_assign_attn\.attn\.out_proj\.`, `img_encoder.layers.$1.downsample.pre_assign_attn.attn.proj.`},
	{`^vision_model\.encoder\.stages\.`, `img_encoder.layers.`},
	{`^text_model\.embeddings\.token_embedding\.`, `text_encoder.token_embedding.`},
	{`^text_model\.embeddings\.position_embedding\.weight$`, `text_encoder.positional_embedding`},
	{`^text_model\.final_layer_norm\.`, `text_encoder.ln_final.`},
	{`^text_model\.encoder\.layers\.(\d+)\.layer_norm(\d)\.`, `text_encoder.transformer.resblocks.$1.ln_$2.`},
	{`^text_model\.encoder\.layers\.(\d+)\.mlp\.fc1\.`, `text_encoder.transformer.resblocks.$1.mlp.c_fc.`},
	{`^text_model\.encoder\.layers\.(\d+)\.mlp\.fc2\.`, `text_encoder.transformer.resblocks.$1.mlp.c_proj.`},
	{`^text_model\.encoder\.layers\.(\d+)\.self_attn\.out_proj\.`, `text_encoder.transformer.resblocks.$1.attn.out_proj.`},
	{`^text_model\.encoder\.layers\.(\d+)\.self_attn\.[qkv]_proj\.`, `text_encoder.transformer.resblocks.$1.attn.in_proj_`},
}

func officialName(port string) string {
	for _, r := range officialNames {
		if re := regexp.MustCompile(r.pattern); re.MatchString(port) {
			return re.ReplaceAllString(port, r.with)
		}
	}
	return port
}

// goldenWeights fills the golden model: official tensor k in byte order gets
// 1.2·r(k,j), 1+0.4·r (one axis, .weight) or 0.4·r (one axis else); the port's
// query, key and value are the packed tensor's first, second and third rows.
func goldenWeights(t *testing.T, c network.Config) map[string]array {
	t.Helper()
	parts := map[string][]network.Param{} // by official name; q, k, v in order
	var names []string
	out := map[string]array{}
	for _, p := range c.Params() {
		name := officialName(p.Name)
		if !strings.HasPrefix(name, "img_encoder") && !strings.HasPrefix(name, "text_encoder") {
			out[p.Name] = array{shape: p.Shape, f: slices.Repeat([]float64{1}, p.Size())} // a head: not looked at
			continue
		}
		if parts[name] == nil {
			names = append(names, name)
		}
		parts[name] = append(parts[name], p)
	}
	slices.Sort(names)
	if len(names) != 171 || names[0] != "img_encoder.layers.0.blocks.0.attn.proj.bias" ||
		names[170] != "text_encoder.transformer.resblocks.1.mlp.c_proj.weight" {
		t.Fatalf("%d official names from %s to %s", len(names), names[0], names[len(names)-1])
	}
	for k, name := range names {
		list, j := parts[name], uint32(0)
		slices.SortFunc(list, func(a, b network.Param) int {
			return strings.Index("qkv", projection(a.Name)) - strings.Index("qkv", projection(b.Name))
		})
		for _, p := range list {
			a := array{shape: p.Shape}
			for range p.Size() {
				v := hashed(uint32(k), j)
				switch {
				case len(p.Shape) >= 2:
					v *= 1.2
				case strings.HasSuffix(name, "weight"):
					v = 1 + 0.4*v
				default:
					v *= 0.4
				}
				a.f, j = append(a.f, v), j+1
			}
			out[p.Name] = a
		}
	}
	return out
}

var projectionPart = regexp.MustCompile(`\.([qkv])_proj\.`)

func projection(name string) string {
	if m := projectionPart.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return "q"
}

func goldenPicture(k, h, w int) array {
	a := array{shape: []int{1, 3, h, w}}
	for j := range 3 * h * w {
		a.f = append(a.f, 4*hashed(uint32(k), uint32(j)))
	}
	return a
}

// checkFirst compares the first numbers of got with want, to the printed digits.
func checkFirst(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i, v := range want {
		if math.Abs(got[i]-v) > 2e-8 {
			t.Errorf("%s[%d] = %.8f, want %.8f", name, i, got[i], v)
		}
	}
}

func sum(x []float64, f func(float64) float64) float64 {
	s := 0.0
	for _, v := range x {
		s += f(v)
	}
	return s
}

func identity(x float64) float64 { return x }

// winners returns the best group of every token of soft [1, G, L].
func winners(soft array) []int {
	g, l := soft.shape[1], soft.shape[2]
	out := make([]int, l)
	for n := range out {
		for i := range g {
			if soft.f[i*l+n] > soft.f[out[n]*l+n] {
				out[n] = i
			}
		}
	}
	return out
}

func TestGoldenImage(t *testing.T) {
	c := goldenConfig()
	b := enginetest.New(t, engine.Go, 1)
	ids := array{shape: []int{2, 8}, i: []int32{48, 7, 12, 49, 0, 0, 0, 0, 48, 3, 49, 0, 0, 0, 0, 0}}
	params := goldenWeights(t, c)
	run := func(pixels array) map[string]array {
		return runGraph(t, b, dtypes.Float64, params, []array{pixels, ids}, everything(c))
	}
	column := func(soft array, token int) []float64 {
		var out []float64
		for i := range soft.shape[1] {
			out = append(out, soft.f[i*soft.shape[2]+token])
		}
		return out
	}
	t.Run("32x32", func(t *testing.T) {
		got := run(goldenPicture(1000, 32, 32))
		soft := got["soft.0"]
		checkFirst(t, "stage 0, token 0", column(soft, 0), []float64{0.05088111, 0.39651639, 0.40596654, 0.14663597})
		checkFirst(t, "stage 0, token 15", column(soft, 15), []float64{0.07827300, 0.24304771, 0.53589122, 0.14278807})
		want := []int{2, 1, 1, 1, 1, 1, 1, 1, 2, 1, 2, 2, 2, 1, 3, 2}
		if g := winners(soft); !slices.Equal(g, want) {
			t.Errorf("winning groups %v, want %v", g, want)
		}
		checkFirst(t, "stage 1", got["soft.1"].f, []float64{
			0.19298204, 0.07198613, 0.07249969, 0.67383219, 0.80701796, 0.92801387, 0.92750031, 0.32616781})
		checkFirst(t, "group 0", got["groups"].f, []float64{
			0.39437487, -0.47556477, -0.47697450, 1.02578739, -0.05697795, -1.13746291})
		checkFirst(t, "pooled", got["pooled"].f, []float64{
			0.09857616, -0.45939668, 0.02825614, 1.46773227, -0.19581640, -1.62744026})
		checkFirst(t, "sum of pooled", []float64{sum(got["pooled"].f, identity)}, []float64{-0.00263604})
	})
	t.Run("48x64, positions resized", func(t *testing.T) {
		got := run(goldenPicture(1001, 48, 64))
		checkFirst(t, "pooled", got["pooled"].f, []float64{
			0.02022913, 0.08932887, -0.75192873, 1.07853925, -0.05422075, -1.73140004})
		want := []int{0, 3, 1, 1, 1, 2, 1, 1, 2, 1, 0, 2, 1, 2, 0, 2, 1, 0, 1, 0, 2, 1, 1, 0,
			1, 1, 1, 1, 0, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 3, 0}
		if g := winners(got["soft.0"]); !slices.Equal(g, want) {
			t.Errorf("winning groups %v, want %v", g, want)
		}
	})
	t.Run("text", func(t *testing.T) {
		got := run(goldenPicture(1000, 32, 32))["text_pooled"].f
		checkFirst(t, "first text", got, []float64{2.05161215, -1.51312212, -1.23470168, 0.62851990, 0.05243220, -0.30836032})
		checkFirst(t, "second text", got[64:], []float64{2.19731551, 0.35903654, -1.05413914, -0.53369507, 0.80446959, -0.56842965})
		checkFirst(t, "sum", []float64{sum(got, identity)}, []float64{-0.96712447})
	})
}

// TestGoldenGradients: evaluation mode, hard straight-through assignment, loss
// Σ_c pooled[c]·r(2000, c).
func TestGoldenGradients(t *testing.T) {
	cases := []struct {
		port   string
		first  []float64
		absSum float64
	}{
		{"vision_model.embeddings.position_embeddings", []float64{0.01223978, 0.02271204, 0.05075498, 0.06026821}, 16.89550527},
		{"vision_model.encoder.stages.0.group_token", []float64{0.14536713, -0.10930156, 0.51002347, -0.00079755}, 19.17332061},
		{"vision_model.encoder.stages.1.group_token", []float64{0.01709945, 0.02349265, 0.03709231, -0.02639087}, 1.26480310},
		{"vision_model.encoder.stages.0.downsample.assign.q_proj.weight", []float64{0.05707897, -0.02241178, -0.15582908, -0.00363782}, 7.95111475},
		{"vision_model.encoder.stages.0.downsample.assign.k_proj.bias", []float64{0.00838173, -0.00187441, -0.01448938, 0.00209600}, 0.24498346},
		{"vision_model.encoder.stages.0.downsample.assign.v_proj.bias", []float64{0.07419308, 0.10170659, 0.06378351, 0.03226832}, 1.56211949},
		{"vision_model.encoder.stages.0.downsample.mlp_inter.fc1.weight", []float64{0.28267919, 0.19541822, -0.11509363, 0.05974716}, 11.48647400},
		{"vision_model.embeddings.patch_embeddings.projection.bias", []float64{0.16411156, 0.05531386, 0.06187630, -0.08304301}, 1.24251296},
		{"vision_model.layernorm.weight", []float64{-0.00123876, -0.02242167, -0.01198257, -0.15121053}, 2.12364145},
	}
	c := goldenConfig()
	b := enginetest.New(t, engine.Go, 1)
	direction := array{shape: []int{1, 16}}
	for j := range 16 {
		direction.f = append(direction.f, hashed(2000, uint32(j)))
	}
	got := runGraph(t, b, dtypes.Float64, goldenWeights(t, c), []array{goldenPicture(1000, 32, 32), direction},
		func(w network.Weights, in []*graph.Node) map[string]*graph.Node {
			loss := graph.ReduceAllSum(graph.Mul(network.Image(w, c, in[0], network.Mode{}).Pooled, in[1]))
			out := map[string]*graph.Node{"loss": loss}
			var nodes []*graph.Node
			for _, k := range cases {
				nodes = append(nodes, w(k.port))
			}
			for i, g := range graph.Gradient(loss, nodes...) {
				out[cases[i].port] = g
			}
			return out
		})
	checkFirst(t, "loss", got["loss"].f, []float64{-0.60687725})
	for _, k := range cases {
		checkFirst(t, k.port, got[k.port].f, k.first)
		checkFirst(t, "absolute sum of "+k.port, []float64{sum(got[k.port].f, math.Abs)}, []float64{k.absSum})
	}
}
