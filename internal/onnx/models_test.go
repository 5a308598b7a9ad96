package onnx

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// small is a paper network of one stage.
func small() network.Config {
	return network.Config{
		ImageSize: 16, PatchSize: 4, Width: 8, Depths: []int{2}, Heads: []int{2},
		GroupTokens: []int{3}, OutputGroups: []int{3}, MLPRatio: 2, AssignEpsilon: 1,
		Text:            network.TextConfig{Vocabulary: 20, Context: 6, Width: 8, Depth: 2, Heads: 2, MLPRatio: 2},
		ProjectionWidth: 12, EmbedWidth: 6, Temperature: 0.07, NounLoss: true,
	}
}

// configs are configurations by name that together have every option: numbers of
// stages, each option beyond the paper alone, and the recipes' combinations.
func configs() map[string]network.Config {
	out := map[string]network.Config{}
	add := func(name string, change func(c *network.Config, v *network.Variant)) {
		c := small()
		change(&c, &c.Variant)
		out[name] = c
	}
	stages := func(c *network.Config, depths, tokens, groups []int) {
		c.Depths, c.GroupTokens, c.OutputGroups = depths, tokens, groups
		c.Heads = []int{2, 4, 1}[:len(depths)]
	}
	add("paper", func(*network.Config, *network.Variant) {})
	add("fewer groups than tokens", func(c *network.Config, _ *network.Variant) { stages(c, []int{1}, []int{5}, []int{2}) })
	add("epsilon", func(c *network.Config, _ *network.Variant) { c.AssignEpsilon = 0.01 })
	add("published stages", func(c *network.Config, _ *network.Variant) {
		stages(c, []int{2, 1, 1}, []int{6, 3, 0}, []int{5, 2, 0})
	})
	add("three stages", func(c *network.Config, _ *network.Variant) {
		stages(c, []int{1, 0, 1}, []int{6, 4, 2}, []int{6, 4, 2})
	})
	add("width of the last MLP", func(c *network.Config, _ *network.Variant) { c.GroupMLPRatio = 3 })
	add("stem", func(_ *network.Config, v *network.Variant) { v.Stem.Channels = []int{3, 8} })
	add("stem with blocks", func(_ *network.Config, v *network.Variant) {
		v.Stem = network.Stem{Channels: []int{3, 8}, Blocks: []int{1, 2}}
	})
	add("stem with BatchNorm", func(_ *network.Config, v *network.Variant) {
		v.Stem = network.Stem{Channels: []int{3, 8}, Blocks: []int{0, 1}, BatchNorm: true}
	})
	add("local values", func(c *network.Config, v *network.Variant) {
		stages(c, []int{1, 1}, []int{4, 2}, []int{4, 2})
		v.LocalMLP, v.LocalValues = 5, true
	})
	add("no token mixer, no residual", func(_ *network.Config, v *network.Variant) { v.NoTokenMixer, v.NoGroupResidual = true, true })
	add("soft and scaled", func(_ *network.Config, v *network.Variant) {
		v.SoftAssign, v.AssignScale, v.AssignGuard = true, 3, 0.5
	})
	add("area-weighted", func(_ *network.Config, v *network.Variant) { v.AreaWeighted, v.SoftAssign = true, true })
	add("map from both", func(_ *network.Config, v *network.Variant) {
		v.PatchEmbeddings, v.Map, v.NounSharpness = network.PatchesLocal, network.MapBoth, 4
		v.NounsAgainst = []string{network.AgainstPooled, network.AgainstGroups, network.AgainstPatches}
	})
	add("patches of the trunk", func(c *network.Config, v *network.Variant) {
		stages(c, []int{2}, []int{0}, []int{0})
		v.PatchEmbeddings, v.PatchPooled, v.Map = network.PatchesTrunk, true, network.MapPatches
	})
	add("pixelwise", func(c *network.Config, v *network.Variant) { // no attention at all
		stages(c, []int{0}, []int{0}, []int{0})
		v.Stem = network.Stem{Channels: []int{4, 8}, Blocks: []int{0, 1}, BatchNorm: true}
		v.LocalMLP, v.PatchEmbeddings, v.PatchPooled, v.Map = 10, network.PatchesLocal, true, network.MapPatches
		v.PlainProjection, v.TextPooling = true, network.PoolMean
	})
	add("context branch", func(_ *network.Config, v *network.Variant) {
		v.Stem = network.Stem{Channels: []int{3, 8}, Blocks: []int{0, 1}, BatchNorm: true}
		v.LocalMLP, v.PatchEmbeddings = 6, network.PatchesLocal
		v.Context = network.Context{Channels: []int{6, 5}, Blocks: []int{1, 2}, MLP: 7}
		v.NounsAgainst = []string{network.AgainstPatches, network.AgainstGlobal}
	})
	add("mean over words", func(_ *network.Config, v *network.Variant) { v.TextPooling = network.PoolMean })
	add("of training only", func(_ *network.Config, v *network.Variant) {
		v.LogitBias, v.XavierInit, v.GroupTokenStd = true, true, 1
	})
	return out
}

// drawn is a network whose layers all say something: weights of the size that keeps
// the size of what goes through, biases and statistics that are not their first
// values.
func drawn(c network.Config) *weights.Model {
	r := rand.New(rand.NewPCG(1, 2))
	m := &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: [3]float32{0.48, 0.45, 0.4}, Std: [3]float32{0.27, 0.26, 0.25}}
	for _, p := range c.Params() {
		if len(p.Shape) == 0 {
			continue // temperatures
		}
		size := 0.5
		if n := len(p.Shape); n > 1 && !strings.Contains(p.Name, "token") && !strings.Contains(p.Name, "position") {
			size = math.Sqrt(float64(p.Shape[0]) / float64(p.Size()))
		}
		values := slices.Clone(m.Tensors[p.Name])
		for i := range values {
			switch x := r.NormFloat64(); {
			case strings.HasSuffix(p.Name, ".running_var"), len(p.Shape) == 1 && strings.HasSuffix(p.Name, ".weight"):
				values[i] = float32(math.Exp(x / 4))
			default:
				values[i] = float32(size * x)
			}
		}
		m.Tensors[p.Name] = values
	}
	return m
}

// open reads a model of this repository.
func open(t testing.TB, path string) *weights.Model {
	t.Helper()
	m, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
