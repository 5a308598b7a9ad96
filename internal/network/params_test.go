package network_test

import (
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
)

// TestParameterCounts: the published network module by module, as counted from
// the official code built at its size.
func TestParameterCounts(t *testing.T) {
	params := network.Default().Params()
	for _, c := range []struct {
		prefix string
		want   int
	}{
		{"vision_model.embeddings.patch_embeddings", 295_296},
		{"vision_model.embeddings.layernorm", 768},
		{"vision_model.embeddings.position_embeddings", 75_264},
		{"vision_model.encoder.stages.0.layers", 10_646_784},
		{"vision_model.encoder.stages.0.downsample", 3_575_296},
		{"vision_model.encoder.stages.0", 14_246_656},
		{"vision_model.encoder.stages.1.group_projector", 14_792},
		{"vision_model.encoder.stages.1.downsample", 3_553_736},
		{"vision_model.encoder.stages.1", 8_894_992},
		{"vision_model.encoder.stages.2", 5_323_392},
		{"vision_model.layernorm", 768},
		{"vision_model", 28_837_136},
		{"text_model.encoder", 9_477_120},
		{"text_model", 22_145_792},
		{"visual_projection", 2_633_984},
		{"text_projection", 2_109_696},
		{"", 55_726_610},
	} {
		got := 0
		for _, p := range params {
			if p.Trainable && strings.HasPrefix(p.Name, c.prefix) {
				got += p.Size()
			}
		}
		if got != c.want {
			t.Errorf("%q has %d parameters, want %d", c.prefix, got, c.want)
		}
	}
}

// TestWeightDecay: of the official code's 401 trained tensors (query, key and
// value in one), weight decay applies to 138: all that have not exactly one axis,
// both temperatures and all embeddings among them.
func TestWeightDecay(t *testing.T) {
	decayed := map[string]bool{}
	for _, p := range network.Default().Params() {
		if p.Trainable {
			decayed[officialName(p.Name)] = p.Decay
		}
	}
	yes := 0
	for _, d := range decayed {
		if d {
			yes++
		}
	}
	if yes != 138 || len(decayed)-yes != 263 {
		t.Errorf("%d tensors decay and %d do not, want 138 and 263", yes, len(decayed)-yes)
	}
	for _, name := range []string{network.LogitScale, network.NounLogitScale, "img_encoder.pos_embed", "text_encoder.positional_embedding"} {
		if !decayed[name] {
			t.Errorf("%s does not decay", name)
		}
	}
}
