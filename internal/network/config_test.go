package network_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/network"
)

// Every configuration comes back from its config.json as it was, and says there
// whether it has options beyond the paper.
func TestConfigRoundTrip(t *testing.T) {
	configs := variants()
	configs["default"], configs["golden"] = network.Default(), goldenConfig()
	for name, c := range configs {
		t.Run(name, func(t *testing.T) {
			data, err := c.JSON()
			if err != nil {
				t.Fatal(err)
			}
			got, err := network.ParseConfig(data)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.Temperature-c.Temperature) > 1e-12 {
				t.Errorf("temperature %g, want %g", got.Temperature, c.Temperature)
			}
			got.Temperature = c.Temperature // through a logarithm
			if d := cmp.Diff(c, got); d != "" {
				t.Errorf("(-written +read)\n%s", d)
			}
			if says := strings.Contains(string(data), "groupvit_variant"); says == c.IsPaper() {
				t.Errorf("config.json names its variant: %v, paper: %v", says, c.IsPaper())
			}
		})
	}
}

// Every option of Variant is exercised by some configuration of the tests, so
// that a new one cannot go untested.
func TestEveryOptionIsTested(t *testing.T) {
	used := map[string]bool{}
	for _, c := range variants() {
		v := reflect.ValueOf(c.Variant)
		for i := range v.NumField() {
			used[v.Type().Field(i).Name] = used[v.Type().Field(i).Name] || !v.Field(i).IsZero()
		}
	}
	for name, ok := range used {
		if !ok {
			t.Errorf("no configuration of the tests sets %s", name)
		}
	}
}

// The published config.json lacks what only this project writes.
func TestConfigDefaults(t *testing.T) {
	c, err := network.ParseConfig([]byte(`{"model_type": "groupvit"}`))
	want := network.Default()
	want.NounLoss = false
	if d := cmp.Diff(want, c); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

func TestBadConfigs(t *testing.T) {
	change := func(f func(c *network.Config)) network.Config {
		c := scenes()
		f(&c)
		return c
	}
	for _, k := range []struct {
		name   string
		config network.Config
		want   string
	}{
		{"nothing", network.Config{}, "patch size"},
		{"four stages", change(func(c *network.Config) { c.Depths = []int{1, 1, 1, 1} }), "stages"},
		{"no stage", change(func(c *network.Config) { c.Depths = nil }), "stages"},
		{"lists of different lengths", change(func(c *network.Config) { c.Heads = []int{2, 2} }), "one entry a stage"},
		{"image between patches", change(func(c *network.Config) { c.ImageSize = 18 }), "multiple"},
		{"heads that do not divide", change(func(c *network.Config) { c.Heads = []int{3} }), "divide"},
		{"text heads that do not divide", change(func(c *network.Config) { c.Text.Heads = 3 }), "heads"},
		{"no output groups", change(func(c *network.Config) { c.OutputGroups = []int{0} }), "output groups"},
		{"a stage with groups after one without", change(func(c *network.Config) {
			c.Depths, c.Heads, c.GroupTokens, c.OutputGroups = []int{1, 1}, []int{2, 2}, []int{0, 3}, []int{0, 3}
		}), "none"},
		{"no temperature", change(func(c *network.Config) { c.Temperature = 0 }), "temperature"},
		{"endless temperature", change(func(c *network.Config) { c.Temperature = math.Inf(1) }), "temperature"},
		{"epsilon that is no number", change(func(c *network.Config) { c.AssignEpsilon = math.NaN() }), "epsilon"},
		{"drop path of 1", change(func(c *network.Config) { c.DropPath = 1 }), "drop path"},
		{"negative scale", change(func(c *network.Config) { c.Variant.AssignScale = -1 }), "assign_scale"},
		{"scale that is no number", change(func(c *network.Config) { c.Variant.AssignScale = math.NaN() }), "assign_scale"},
		{"endless guard", change(func(c *network.Config) { c.Variant.AssignGuard = math.Inf(1) }), "assign_guard"},
		{"stem for another patch", change(func(c *network.Config) { c.Variant.Stem.Channels = []int{8} }), "patches of 2"},
		{"stem of another width", change(func(c *network.Config) { c.Variant.Stem.Channels = []int{8, 4} }), "width"},
		{"stem blocks without a stem", change(func(c *network.Config) { c.Variant.Stem = network.Stem{Blocks: []int{1}} }), "stem"},
		{"more stem blocks than steps", change(func(c *network.Config) { c.Variant.Stem.Blocks = []int{0, 0, 1} }), "3 entries"},
		{"groups that no mixer makes", change(func(c *network.Config) { c.OutputGroups = []int{2} }), "mixer"},
		{"unknown patches", change(func(c *network.Config) { c.Variant.PatchEmbeddings = "far" }), "far"},
		{"unknown map", change(func(c *network.Config) { c.Variant.Map = "sky" }), "sky"},
		{"unknown text pooling", change(func(c *network.Config) { c.Variant.TextPooling = "max" }), "max"},
		{"unknown nouns", change(func(c *network.Config) { c.Variant.NounsAgainst = []string{"all"} }), "all"},
		{"nouns against patches without patches", change(func(c *network.Config) { c.Variant.PatchEmbeddings = "" }), "patch_embeddings"},
		{"areas without groups", change(func(c *network.Config) { c.GroupTokens, c.OutputGroups = []int{0}, []int{0} }), "group tokens"},
		{"the trunk's patches beside groups", change(func(c *network.Config) { c.Variant.PatchEmbeddings = network.PatchesTrunk }), "without groups"},
		{"two image vectors", change(func(c *network.Config) { c.Variant.PatchPooled = true }), "exclude"},
	} {
		t.Run(k.name, func(t *testing.T) {
			err := k.config.Validate()
			if !errors.Is(err, network.ErrConfig) || !strings.Contains(err.Error(), k.want) {
				t.Errorf("got %v, want an ErrConfig with %q", err, k.want)
			}
			if _, err := k.config.JSON(); err == nil {
				t.Error("it is written to a config.json")
			}
		})
	}
}

func TestBadConfigFiles(t *testing.T) {
	for _, k := range []struct{ name, file, want string }{
		{"empty", ``, "config.json"},
		{"no JSON", `{"model_type": `, "config.json"},
		{"another network", `{"model_type": "clip"}`, "clip"},
		{"a text for a number", `{"model_type": "groupvit", "projection_dim": "many"}`, "projection_dim"},
		{"negative width", `{"model_type": "groupvit", "vision_config": {"hidden_size": -384, "intermediate_size": 1536}}`, "-384"},
		{"huge depth", `{"model_type": "groupvit", "vision_config": {"depths": [1000000000, 3, 3]}}`, "1000000000"},
		{"huge vocabulary", `{"model_type": "groupvit", "text_config": {"vocab_size": 1000000000000}}`, "vocabulary"},
		{"another activation", `{"model_type": "groupvit", "vision_config": {"hidden_act": "relu"}}`, "relu"},
		{"another epsilon", `{"model_type": "groupvit", "text_config": {"layer_norm_eps": 1e-6}}`, "layer_norm_eps"},
		{"four channels", `{"model_type": "groupvit", "vision_config": {"num_channels": 4}}`, "num_channels"},
		{"another mixer", `{"model_type": "groupvit", "vision_config": {"assign_mlp_ratio": [1, 4]}}`, "assign_mlp_ratio"},
		{"half an MLP", `{"model_type": "groupvit", "vision_config": {"assign_mlp_ratio": [0.5, 1.5]}}`, "assign_mlp_ratio"},
		{"an end that is not the largest id", `{"model_type": "groupvit", "text_config": {"eos_token_id": 1000}}`, "eos_token_id"},
		{"unknown option", `{"model_type": "groupvit", "groupvit_variant": {"magic": true}}`, "magic"},
		{"a cold start", `{"model_type": "groupvit", "logit_scale_init_value": -1e9}`, "temperature"},
	} {
		t.Run(k.name, func(t *testing.T) {
			_, err := network.ParseConfig([]byte(k.file))
			if !errors.Is(err, network.ErrConfig) || !strings.Contains(err.Error(), k.want) {
				t.Errorf("got %v, want an ErrConfig with %q", err, k.want)
			}
		})
	}
	// What old files of the port have, and an end that no text can hold.
	for _, end := range []string{"2", "49407", "50000"} {
		if _, err := network.ParseConfig([]byte(`{"model_type": "groupvit", "text_config": {"eos_token_id": ` + end + `}}`)); err != nil {
			t.Errorf("eos_token_id %s: %v", end, err)
		}
	}
}

// FuzzParseConfig: any bytes are an ErrConfig or a configuration whose tensors
// can be listed and which comes back from its own config.json.
func FuzzParseConfig(f *testing.F) {
	for _, c := range variants() {
		if data, err := c.JSON(); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := network.ParseConfig(data)
		if err != nil {
			if !errors.Is(err, network.ErrConfig) {
				t.Errorf("another kind of error: %v", err)
			}
			return
		}
		for _, p := range c.Params() {
			if p.Size() < 1 {
				t.Errorf("%s has shape %v", p.Name, p.Shape)
			}
		}
		again, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := network.ParseConfig(again)
		if err != nil {
			t.Fatalf("%v in %s", err, again)
		}
		back.Temperature = c.Temperature
		if d := cmp.Diff(c, back); d != "" && json.Valid(again) {
			t.Errorf("(-read +read again)\n%s", d)
		}
	})
}
