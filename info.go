package groupvit

import (
	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
)

// Info describes an opened model.
type Info struct {
	// Name is what was opened.
	Name string `json:"name"`
	// SHA256 is the hash of its weight file.
	SHA256 string `json:"sha256"`
}

// Info says which model this is.
func (m *Model) Info() Info { return Info{Name: m.name, SHA256: m.weights.SHA256} }

// DefaultProtocol is the protocol used where none is named: the paper's for the
// paper's network, best for others.
func (m *Model) DefaultProtocol() Protocol {
	if m.config.IsPaper() {
		return Paper
	}
	return Best
}

// Engine is the name of what computes, and its precision where that is not
// float32: "simd", "simd/bf16".
func (m *Model) Engine() string {
	name := engine.NameOf(m.backend)
	if p := engine.PrecisionOf(m.backend); p != engine.Float32 {
		name += "/" + p
	}
	return name
}

// Settings is the file eval.json of the model's directory, which says how protocol
// best uses it; empty where there is none.
func (m *Model) Settings() []byte { return m.weights.Extra[modelfile.EvalName] }

// HasGroups reports whether the model groups pixels; others read their map from
// patches.
func (m *Model) HasGroups() bool { return m.config.HasGroups() }

// ImageSize is the side, in pixels, of the pictures the model was trained on.
func (m *Model) ImageSize() int { return m.config.ImageSize }

// Config returns the model's configuration as Hugging Face's config.json.
func (m *Model) Config() ([]byte, error) { return m.config.JSON() }

// Summary is what `model show` prints of a model.
type Summary struct {
	Info
	// Paper says that the network is the paper's, without any variant.
	Paper bool `json:"paper"`
	// Parameters is the number of trained numbers.
	Parameters int `json:"parameters"`
	ImageSize  int `json:"image_size"`
	PatchSize  int `json:"patch_size"`
	Width      int `json:"width"`
	// Depths are blocks a stage, Groups the output groups of each grouping stage.
	Depths     []int    `json:"depths"`
	Groups     []int    `json:"groups"`
	EmbedWidth int      `json:"embed_width"`
	Vocabulary int      `json:"vocabulary"`
	Context    int      `json:"context"`
	Map        string   `json:"map"`
	Protocol   Protocol `json:"protocol"`
	// Mean and Std normalise pixels.
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}

// Summary describes the model.
func (m *Model) Summary() Summary {
	c := m.config
	s := Summary{
		Info: m.Info(), Paper: c.IsPaper(), ImageSize: c.ImageSize, PatchSize: c.PatchSize, Width: c.Width,
		Depths: c.Depths, Groups: c.StageGroups(), EmbedWidth: c.EmbedWidth,
		Vocabulary: c.Text.Vocabulary, Context: c.Text.Context, Map: string(c.Map()),
		Protocol: m.DefaultProtocol(), Mean: m.weights.Mean, Std: m.weights.Std,
	}
	for _, p := range c.Params() {
		if p.Trainable {
			s.Parameters += p.Size()
		}
	}
	return s
}

// maxSharpness bounds the scale of a softmax over cosines.
const maxSharpness = modelfile.MaxSharpness

// Sharpness is the scale of a softmax over cosines that the model learnt in training,
// at most 100.
func (m *Model) Sharpness() float64 { return min(m.scale, 100) }

// source is where the model's map of words is read.
func (m *Model) source() assign.Source {
	switch m.config.Map() {
	case network.MapPatches:
		return assign.FromPatches
	case network.MapBoth:
		return assign.FromBoth
	}
	return assign.FromGroups
}
