package network_test

import (
	"math"
	"regexp"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
)

// distribution is what a tensor is drawn from: mean, deviation around it, and a
// bound (0: none).
type distribution struct{ mean, deviation, bound float64 }

func constant(v float64) distribution { return distribution{mean: v} }
func normal(s float64) distribution   { return distribution{deviation: s} }
func uniform(b float64) distribution  { return distribution{deviation: b / math.Sqrt(3), bound: b} }

type initialRule struct {
	name string // regular expression; the first that matches counts
	want distribution
}

// officialInitial are the official code's initial values. The port instead starts
// with equal group tokens and positions at 0, all biases 0, and the deviations of
// attention's inner and outer layers exchanged.
var officialInitial = []initialRule{
	{`logit_scale$`, constant(2.6592600)},
	{`running_mean$`, constant(0)},
	{`running_var$`, constant(1)},
	{`patch_embeddings\.projection\.(weight|bias)$`, uniform(0.0360844)},
	{`position_embeddings$`, normal(0.02)},
	{`stages\.0\.group_token$`, normal(0.02)},
	{`stages\.1\.group_token$`, constant(0)},
	{`(norm\w*|layer_norm\d|projection\.1|group_projector\.0)\.weight$`, constant(1)},
	{`(norm\w*|layer_norm\d|projection\.1|group_projector\.0)\.bias$`, constant(0)},
	{`^vision_model\..*\.weight$`, normal(0.02)}, // attention, MLPs, mixers, grouping
	{`^vision_model\..*\.bias$`, constant(0)},
	{`token_embedding\.weight$`, normal(0.02)},
	{`position_embedding\.weight$`, normal(0.01)},
	{`^text_model\..*\.[qkv]_proj\.weight$`, normal(0.0625)},
	{`^text_model\..*_proj\.bias$`, constant(0)},
	{`^text_model\..*\.out_proj\.weight$`, normal(0.0127578)},
	{`^text_model\..*\.fc1\.weight$`, normal(0.0441942)},
	{`^text_model\..*\.fc1\.bias$`, uniform(0.0625)},
	{`^text_model\..*\.fc2\.weight$`, normal(0.0127578)},
	{`^text_model\..*\.fc2\.bias$`, uniform(0.03125)},
	{`^visual_projection\.0\.(weight|bias)$`, uniform(0.0510310)},
	{`^text_projection\.0\.(weight|bias)$`, uniform(0.0625)},
	{`_projection\.3\.(weight|bias)$`, uniform(0.015625)},
}

// xavierInitial are those of the variant xavier_init with a stem, at the widths of
// TestInitialValues.
func xavierInitial(c network.Config) []initialRule {
	xavier := func(in, out int) distribution { return uniform(math.Sqrt(6 / float64(in+out))) }
	d := c.Width
	// Of N(0, 1) cut at ±2, the deviation is 0.8796.
	return append([]initialRule{
		{`stages\.0\.group_token$`, distribution{deviation: 0.8796, bound: 2}},
		{`stem\.0\.conv\.weight$`, uniform(1 / math.Sqrt(3*9))},
		{`stem\.1\.conv\.weight$`, uniform(1 / math.Sqrt(float64(9*c.Variant.Stem.Channels[0])))},
		{`blocks\.\d\.conv\d\.weight$`, uniform(1 / math.Sqrt(float64(9*d)))},
		{`blocks\.\d\.norm2\.weight$`, constant(0)}, // the block starts as the identity
		{`local_model\.mlp\.fc1\.weight$`, xavier(d, c.Variant.LocalMLP)},
		{`local_model\.mlp\.fc2\.weight$`, xavier(d, c.Variant.LocalMLP)},
		{`(fc1|fc2|\.0|\.3|_proj|assign\.proj)\.bias$`, constant(0)},
		{`^vision_model\..*(mlp|mlp_channels)\.fc\d\.weight$`, xavier(d, c.MLPRatio*d)},
		{`^vision_model\..*proj\.weight$`, xavier(d, d)},
		{`^text_model\..*_proj\.weight$`, xavier(c.Text.Width, c.Text.Width)},
		{`^text_model\..*fc\d\.weight$`, xavier(c.Text.Width, c.Text.MLPRatio*c.Text.Width)},
		{`^visual_projection\.0\.weight$`, xavier(d, c.ProjectionWidth)},
		{`^text_projection\.0\.weight$`, xavier(c.Text.Width, c.ProjectionWidth)},
		{`_projection\.3\.weight$`, xavier(c.ProjectionWidth, c.EmbedWidth)},
	}, officialInitial...)
}

// TestInitialValues measures mean, deviation and bounds of every tensor.
func TestInitialValues(t *testing.T) {
	paper := network.Default()
	paper.Depths, paper.Text.Vocabulary = []int{2, 1, 1}, 2000 // enough to measure
	variant := scenes()
	variant.Width, variant.GroupTokens, variant.OutputGroups = 64, []int{12}, []int{12}
	variant.Variant.LocalMLP, variant.Variant.Stem = 96, network.Stem{Channels: []int{32, 64}, Blocks: []int{0, 1}, BatchNorm: true}
	variant.Text.Width, variant.ProjectionWidth, variant.EmbedWidth = 32, 80, 48
	for _, k := range []struct {
		name   string
		config network.Config
		rules  []initialRule
	}{{"paper", paper, officialInitial}, {"xavier and stem", variant, xavierInitial(variant)}} {
		t.Run(k.name, func(t *testing.T) {
			if err := k.config.Validate(); err != nil {
				t.Fatal(err)
			}
			for _, p := range k.config.Params() {
				i := slices.IndexFunc(k.rules, func(r initialRule) bool { return regexp.MustCompile(r.name).MatchString(p.Name) })
				if i < 0 {
					t.Errorf("nothing is known of %s", p.Name)
					continue
				}
				checkInitial(t, p, k.rules[i].want)
			}
		})
	}
}

func checkInitial(t *testing.T, p network.Param, want distribution) {
	t.Helper()
	x := widen(p.Initial(1))
	n := float64(len(x))
	got := math.Sqrt(sum(x, func(v float64) float64 { return (v - want.mean) * (v - want.mean) }) / n)
	if math.Abs(got-want.deviation) > 4*want.deviation/math.Sqrt(n)+1e-6 {
		t.Errorf("%s: deviation %.6f around %.4f, want %.6f", p.Name, got, want.mean, want.deviation)
	}
	if d := math.Abs(mean(x) - want.mean); d > 5*want.deviation/math.Sqrt(n)+1e-6 {
		t.Errorf("%s: mean %.6f, want %.4f", p.Name, mean(x), want.mean)
	}
	if b := want.bound; b > 0 && (slices.Max(x) > b+1e-6 || slices.Min(x) < -b-1e-6 || n > 1000 && slices.Max(x) < 0.98*b) {
		t.Errorf("%s: values from %.5f to %.5f, bound %.5f", p.Name, slices.Min(x), slices.Max(x), b)
	}
}

// TestInitializeIsReproducible: a seed gives the same bits, another seed others,
// and a tensor does not depend on its neighbours.
func TestInitializeIsReproducible(t *testing.T) {
	c := small()
	first, again, other := network.Initialize(c, 7), network.Initialize(c, 7), network.Initialize(c, 8)
	c.Variant.LocalMLP = 5
	more := network.Initialize(c, 7)
	const name = "vision_model.encoder.stages.0.layers.0.mlp.fc1.weight"
	for p, x := range first {
		if !slices.Equal(x, again[p]) || !slices.Equal(x, more[p]) {
			t.Errorf("%s differs", p)
		}
	}
	if slices.Equal(first[name], other[name]) {
		t.Error("the seed does not matter")
	}
}
