package network_test

import "github.com/groupvit/groupvit/internal/network"

// small is a paper network of one stage that the plain computation runs in
// milliseconds.
func small() network.Config {
	return network.Config{
		ImageSize: 16, PatchSize: 4, Width: 8, Depths: []int{2}, Heads: []int{2},
		GroupTokens: []int{3}, OutputGroups: []int{3}, MLPRatio: 2, AssignEpsilon: 1,
		Text:            network.TextConfig{Vocabulary: 20, Context: 6, Width: 8, Depth: 1, Heads: 2, MLPRatio: 2},
		ProjectionWidth: 12, EmbedWidth: 6, Temperature: 0.07, NounLoss: true,
	}
}

// scenes is small with every option of recipes/scenes-soft.yaml.
func scenes() network.Config {
	c := small()
	c.AssignEpsilon = 0.01
	c.Variant = network.Variant{
		Stem: network.Stem{Channels: []int{4, 8}}, LocalMLP: 10, LocalValues: true,
		NoTokenMixer: true, NoGroupResidual: true, SoftAssign: true, AssignScale: 3, AssignGuard: 0.0033,
		AreaWeighted: true, PatchEmbeddings: network.PatchesLocal,
		NounsAgainst: []string{network.AgainstGroups, network.AgainstPatches}, NounSharpness: 10,
		PlainProjection: true, TextPooling: network.PoolMean, XavierInit: true, GroupTokenStd: 1,
	}
	return c
}

// photos is small with every option of recipes/photos.yaml: no attention at all.
func photos() network.Config {
	c := small()
	c.Depths, c.GroupTokens, c.OutputGroups = []int{0}, []int{0}, []int{0}
	c.Variant = network.Variant{
		Stem: network.Stem{Channels: []int{4, 8}, Blocks: []int{0, 1}, BatchNorm: true}, LocalMLP: 10,
		PatchEmbeddings: network.PatchesLocal, PatchPooled: true, NounsAgainst: []string{network.AgainstPatches},
		Map: network.MapPatches, PlainProjection: true, TextPooling: network.PoolMean, XavierInit: true,
	}
	return c
}

// context is photos with a context branch, and groups above it.
func context() network.Config {
	c := photos()
	c.ImageSize = 20 // maps of 5, 3 and 2 places a side
	c.Depths, c.GroupTokens, c.OutputGroups = []int{1}, []int{3}, []int{3}
	c.Variant.SoftAssign = true
	c.Variant.Context = network.Context{Channels: []int{6, 5}, Blocks: []int{1, 0}, MLP: 7}
	c.Variant.NounsAgainst = []string{network.AgainstPatches, network.AgainstGroups, network.AgainstGlobal}
	return c
}

// variants are configurations by name: each option alone on the paper's network,
// numbers of stages, and the recipes' combinations.
func variants() map[string]network.Config {
	out := map[string]network.Config{"paper": small(), "recipe scenes": scenes(), "recipe photos": photos(), "recipe context": context()}
	add := func(name string, change func(c *network.Config, v *network.Variant)) {
		c := small()
		change(&c, &c.Variant)
		out[name] = c
	}
	add("one stage that ends in fewer groups than tokens", func(c *network.Config, _ *network.Variant) {
		c.GroupTokens, c.OutputGroups = []int{5}, []int{2}
	})
	add("two stages, the last without groups", func(c *network.Config, _ *network.Variant) {
		c.Depths, c.Heads, c.GroupTokens, c.OutputGroups = []int{1, 2}, []int{2, 4}, []int{4, 0}, []int{2, 0}
	})
	add("two stages with groups", func(c *network.Config, _ *network.Variant) {
		c.Depths, c.Heads, c.GroupTokens, c.OutputGroups = []int{1, 1}, []int{2, 1}, []int{6, 3}, []int{5, 2}
	})
	add("three stages with groups", func(c *network.Config, _ *network.Variant) {
		c.Depths, c.Heads, c.GroupTokens, c.OutputGroups = []int{1, 0, 1}, []int{2, 2, 2}, []int{6, 4, 2}, []int{6, 4, 2}
	})
	add("another width of the last MLP", func(c *network.Config, _ *network.Variant) { c.GroupMLPRatio = 3 })
	add("stem", func(_ *network.Config, v *network.Variant) { v.Stem.Channels = []int{3, 8} })
	add("stem with residual blocks", func(_ *network.Config, v *network.Variant) {
		v.Stem = network.Stem{Channels: []int{3, 8}, Blocks: []int{1, 2}}
	})
	add("stem with BatchNorm", func(_ *network.Config, v *network.Variant) {
		v.Stem = network.Stem{Channels: []int{3, 8}, Blocks: []int{1}, BatchNorm: true}
	})
	add("context branch", func(c *network.Config, v *network.Variant) {
		c.ImageSize = 20 // maps of 5, 3 and 2 places a side
		v.Stem = network.Stem{Channels: []int{3, 8}, Blocks: []int{0, 1}, BatchNorm: true}
		v.Context = network.Context{Channels: []int{6, 5}, Blocks: []int{1, 2}, MLP: 7}
		v.PatchEmbeddings, v.NounsAgainst = network.PatchesLocal, []string{network.AgainstPatches, network.AgainstGlobal}
	})
	add("context branch of one step", func(_ *network.Config, v *network.Variant) {
		v.Stem = network.Stem{Channels: []int{3, 8}, BatchNorm: true}
		v.Context = network.Context{Channels: []int{4}}
	})
	add("local MLP and values", func(_ *network.Config, v *network.Variant) { v.LocalMLP, v.LocalValues = 5, true })
	add("local values in the first of two stages", func(c *network.Config, v *network.Variant) {
		c.Depths, c.Heads, c.GroupTokens, c.OutputGroups = []int{1, 1}, []int{2, 2}, []int{4, 2}, []int{4, 2}
		v.LocalValues = true
	})
	add("no token mixer", func(_ *network.Config, v *network.Variant) { v.NoTokenMixer = true })
	add("no residual of the groups", func(_ *network.Config, v *network.Variant) { v.NoGroupResidual = true })
	add("soft assignment", func(_ *network.Config, v *network.Variant) { v.SoftAssign = true })
	add("centred and scaled logits", func(_ *network.Config, v *network.Variant) {
		v.SoftAssign, v.AssignScale, v.AssignGuard = true, 3, 0.5
	})
	add("area-weighted groups", func(_ *network.Config, v *network.Variant) { v.AreaWeighted, v.SoftAssign = true, true })
	add("nouns against groups", func(_ *network.Config, v *network.Variant) { v.NounsAgainst = []string{network.AgainstGroups} })
	add("nouns against all, map from both", func(_ *network.Config, v *network.Variant) {
		v.PatchEmbeddings, v.Map, v.NounSharpness = network.PatchesLocal, network.MapBoth, 4
		v.NounsAgainst = []string{network.AgainstPooled, network.AgainstGroups, network.AgainstPatches}
	})
	add("patches of the trunk, without groups", func(c *network.Config, v *network.Variant) {
		c.GroupTokens, c.OutputGroups = []int{0}, []int{0}
		v.PatchEmbeddings, v.PatchPooled, v.Map = network.PatchesTrunk, true, network.MapPatches
		v.NounsAgainst = []string{network.AgainstPatches}
	})
	add("mean over words", func(_ *network.Config, v *network.Variant) { v.TextPooling = network.PoolMean })
	add("biases of the losses", func(_ *network.Config, v *network.Variant) { v.LogitBias = true })
	add("heads without BatchNorm", func(_ *network.Config, v *network.Variant) { v.PlainProjection = true })
	return out
}
