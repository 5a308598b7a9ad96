package network

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// modelType is the port's name for this architecture in config.json.
const modelType = "groupvit"

// jsonConfig is the Hugging Face config.json of GroupViT. Keys that only this
// project writes start with "groupvit_".
type jsonConfig struct {
	Architectures  []string         `json:"architectures,omitempty"`
	ModelType      string           `json:"model_type"`
	ProjectionDim  *int             `json:"projection_dim,omitempty"`
	ProjectionMid  *int             `json:"projection_intermediate_dim,omitempty"`
	LogitScaleInit *number          `json:"logit_scale_init_value,omitempty"`
	Vision         jsonVisionConfig `json:"vision_config"`
	Text           jsonTextConfig   `json:"text_config"`
	MultiLabel     *bool            `json:"groupvit_multi_label,omitempty"`
	Variant        json.RawMessage  `json:"groupvit_variant,omitempty"`
}

type jsonVisionConfig struct {
	ModelType        string   `json:"model_type,omitempty"`
	HiddenSize       *int     `json:"hidden_size,omitempty"`
	IntermediateSize *int     `json:"intermediate_size,omitempty"`
	Layers           *int     `json:"num_hidden_layers,omitempty"`
	Depths           []int    `json:"depths,omitempty"`
	GroupTokens      []int    `json:"num_group_tokens,omitempty"`
	OutputGroups     []int    `json:"num_output_groups,omitempty"`
	Heads            *int     `json:"num_attention_heads,omitempty"`
	StageHeads       []int    `json:"groupvit_stage_heads,omitempty"`
	ImageSize        *int     `json:"image_size,omitempty"`
	PatchSize        *int     `json:"patch_size,omitempty"`
	Channels         *int     `json:"num_channels,omitempty"`
	Activation       string   `json:"hidden_act,omitempty"`
	LayerNormEps     *number  `json:"layer_norm_eps,omitempty"`
	AssignEps        *number  `json:"assign_eps,omitempty"`
	AssignRatio      []number `json:"assign_mlp_ratio,omitempty"`
	DropPath         *number  `json:"groupvit_drop_path,omitempty"`
}

type jsonTextConfig struct {
	ModelType        string  `json:"model_type,omitempty"`
	VocabSize        *int    `json:"vocab_size,omitempty"`
	HiddenSize       *int    `json:"hidden_size,omitempty"`
	IntermediateSize *int    `json:"intermediate_size,omitempty"`
	Layers           *int    `json:"num_hidden_layers,omitempty"`
	Heads            *int    `json:"num_attention_heads,omitempty"`
	Positions        *int    `json:"max_position_embeddings,omitempty"`
	Activation       string  `json:"hidden_act,omitempty"`
	LayerNormEps     *number `json:"layer_norm_eps,omitempty"`
	BOS              *int    `json:"bos_token_id,omitempty"`
	EOS              *int    `json:"eos_token_id,omitempty"`
	PAD              *int    `json:"pad_token_id,omitempty"`
}

// number is written with a decimal point or an exponent: transformers refuses an
// integer where its configuration has a float ("assign_eps": 1).
type number float64

// MarshalJSON implements [json.Marshaler].
func (n number) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(n), 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return []byte(text), nil
}

// ParseConfig reads a Hugging Face config.json. Keys it lacks take the
// published values; a network of another kind, or a setting that this network
// does not have, is an error that wraps [ErrConfig].
func ParseConfig(data []byte) (Config, error) {
	var j jsonConfig
	if err := json.Unmarshal(data, &j); err != nil {
		return Config{}, fmt.Errorf("%w: config.json: %v", ErrConfig, err)
	}
	if j.ModelType != modelType {
		return Config{}, fmt.Errorf("%w: config.json: model_type is %q, a GroupViT checkpoint has %q", ErrConfig, j.ModelType, modelType)
	}
	c := Default()
	if err := j.Vision.read(&c); err != nil {
		return Config{}, err
	}
	if err := j.Text.read(&c.Text); err != nil {
		return Config{}, err
	}
	set(&c.EmbedWidth, j.ProjectionDim)
	set(&c.ProjectionWidth, j.ProjectionMid)
	if s := j.LogitScaleInit; s != nil {
		c.Temperature = math.Exp(-float64(*s))
	}
	c.NounLoss = j.MultiLabel != nil && *j.MultiLabel
	if len(j.Variant) > 0 {
		d := json.NewDecoder(bytes.NewReader(j.Variant))
		d.DisallowUnknownFields()
		if err := d.Decode(&c.Variant); err != nil {
			return Config{}, fmt.Errorf("%w: config.json: groupvit_variant: %v", ErrConfig, err)
		}
	}
	return c, c.Validate()
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (v jsonVisionConfig) read(c *Config) error {
	if err := fixed("vision_config.hidden_act", v.Activation, "gelu"); err != nil {
		return err
	}
	if v.Channels != nil && *v.Channels != 3 {
		return fmt.Errorf("%w: vision_config.num_channels is %d, only 3 is supported", ErrConfig, *v.Channels)
	}
	if err := fixedEpsilon("vision_config", v.LayerNormEps); err != nil {
		return err
	}
	set(&c.Width, v.HiddenSize)
	set(&c.ImageSize, v.ImageSize)
	set(&c.PatchSize, v.PatchSize)
	set(&c.AssignEpsilon, (*float64)(v.AssignEps))
	set(&c.DropPath, (*float64)(v.DropPath))
	if v.Depths != nil {
		c.Depths = v.Depths
	}
	if v.GroupTokens != nil {
		c.GroupTokens = v.GroupTokens
	}
	if v.OutputGroups != nil {
		c.OutputGroups = append([]int(nil), v.OutputGroups...)
	}
	for i := range min(len(c.GroupTokens), len(c.OutputGroups)) {
		if c.GroupTokens[i] == 0 {
			c.OutputGroups[i] = 0 // the port repeats the last number of groups there
		}
	}
	c.Heads = v.StageHeads
	if c.Heads == nil {
		heads := 6
		set(&heads, v.Heads)
		for range c.Depths {
			c.Heads = append(c.Heads, heads)
		}
	}
	if err := ratio("vision_config", c.Width, v.IntermediateSize, &c.MLPRatio); err != nil {
		return err
	}
	return v.readAssignRatio(c)
}

// readAssignRatio reads the ratios of the grouping block's token mixer, always a
// half, and of its last MLP, 4 where the file does not say.
func (v jsonVisionConfig) readAssignRatio(c *Config) error {
	r := v.AssignRatio
	if r == nil {
		r = []number{0.5, 4}
	}
	if len(r) != 2 || r[0] != 0.5 || r[1] < 1 || float64(r[1]) != math.Trunc(float64(r[1])) || r[1] > 64 {
		return fmt.Errorf("%w: vision_config.assign_mlp_ratio is %v, supported are 0.5 and a whole number", ErrConfig, r)
	}
	if c.GroupMLPRatio = int(r[1]); c.GroupMLPRatio == c.MLPRatio {
		c.GroupMLPRatio = 0
	}
	return nil
}

func (t jsonTextConfig) read(c *TextConfig) error {
	if err := fixed("text_config.hidden_act", t.Activation, "quick_gelu"); err != nil {
		return err
	}
	if err := fixedEpsilon("text_config", t.LayerNormEps); err != nil {
		return err
	}
	set(&c.Vocabulary, t.VocabSize)
	// Texts are pooled at their largest id. 2 is what old files have by mistake;
	// the port then looks for the largest id too.
	if e := t.EOS; e != nil && *e != 2 && *e < c.Vocabulary-1 {
		return fmt.Errorf("%w: text_config.eos_token_id is %d, the end of a text must be the largest id, %d", ErrConfig, *e, c.Vocabulary-1)
	}
	set(&c.Width, t.HiddenSize)
	set(&c.Depth, t.Layers)
	set(&c.Heads, t.Heads)
	set(&c.Context, t.Positions)
	return ratio("text_config", c.Width, t.IntermediateSize, &c.MLPRatio)
}

func fixed(key, value, want string) error {
	if value == "" || value == want {
		return nil
	}
	return fmt.Errorf("%w: %s is %q, GroupViT has %q", ErrConfig, key, value, want)
}

func fixedEpsilon(key string, eps *number) error {
	if eps == nil || math.Abs(float64(*eps)-LayerNormEpsilon) < 1e-12 {
		return nil
	}
	return fmt.Errorf("%w: %s.layer_norm_eps is %g, GroupViT has %g", ErrConfig, key, *eps, LayerNormEpsilon)
}

func ratio(key string, width int, hidden *int, to *int) error {
	if hidden == nil {
		return nil
	}
	if width < 1 || *hidden < 1 || *hidden%width != 0 {
		return fmt.Errorf("%w: %s.intermediate_size %d is no multiple of hidden_size %d", ErrConfig, key, *hidden, width)
	}
	*to = *hidden / width
	return nil
}

// JSON returns the configuration as a Hugging Face config.json, indented.
func (c Config) JSON() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	j := jsonConfig{
		Architectures: []string{"GroupViTModel"}, ModelType: modelType,
		ProjectionDim: &c.EmbedWidth, ProjectionMid: &c.ProjectionWidth,
		LogitScaleInit: ptr(number(c.logitScale())), MultiLabel: &c.NounLoss,
		Vision: c.jsonVision(), Text: c.Text.json(),
	}
	if !c.IsPaper() {
		raw, err := json.Marshal(c.Variant)
		if err != nil {
			return nil, err
		}
		j.Variant = raw
	}
	out, err := json.MarshalIndent(j, "", "  ")
	return append(out, '\n'), err
}

func ptr[T any](v T) *T { return &v }

func (c Config) jsonVision() jsonVisionConfig {
	layers, groups, last := 0, make([]int, len(c.Depths)), 0
	for i, d := range c.Depths {
		layers += d
		if c.GroupTokens[i] > 0 {
			last = c.OutputGroups[i]
		}
		groups[i] = last
	}
	v := jsonVisionConfig{
		ModelType: "groupvit_vision_model", HiddenSize: &c.Width, IntermediateSize: ptr(c.MLPRatio * c.Width),
		Layers: &layers, Depths: c.Depths, GroupTokens: c.GroupTokens, OutputGroups: groups,
		Heads: &c.Heads[0], ImageSize: &c.ImageSize, PatchSize: &c.PatchSize, Channels: ptr(3),
		Activation: "gelu", LayerNormEps: ptr(number(LayerNormEpsilon)), AssignEps: ptr(number(c.AssignEpsilon)),
		AssignRatio: []number{0.5, number(c.ChannelRatio())}, DropPath: ptr(number(c.DropPath)),
	}
	for _, h := range c.Heads {
		if h != c.Heads[0] {
			v.StageHeads = c.Heads
		}
	}
	return v
}

func (t TextConfig) json() jsonTextConfig {
	// The port recognises the end token by its id; id 1 is its default pad,
	// which never reaches the pooled feature.
	return jsonTextConfig{
		ModelType: "groupvit_text_model", VocabSize: &t.Vocabulary, HiddenSize: &t.Width,
		IntermediateSize: ptr(t.MLPRatio * t.Width), Layers: &t.Depth, Heads: &t.Heads, Positions: &t.Context,
		Activation: "quick_gelu", LayerNormEps: ptr(number(LayerNormEpsilon)),
		BOS: ptr(t.Vocabulary - 2), EOS: ptr(t.Vocabulary - 1), PAD: ptr(1),
	}
}
