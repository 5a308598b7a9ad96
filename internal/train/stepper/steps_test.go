package stepper

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Sizes of tools/reference/train_steps.py.
const (
	stepsImage, stepsVocabulary, stepsContext = 32, 40, 10
	stepsBatch, stepsPrompts                  = 6, 7
	stepsRate, stepsDecay                     = 2e-3, 5
)

// Steps of the variants that scenes-soft.yaml and photos.yaml train (loss, gradients
// and their norm, clipping, AdamW with its groups, BatchNorm, captions and pairs
// that are left out) are those of PyTorch.
func TestStepsAgainstPyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/steps.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]map[string]float64
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"scenes", "photos"} {
		t.Run(kind, func(t *testing.T) {
			enginetest.Each(t, func(t *testing.T, backend compute.Backend) {
				checkSteps(t, backend, kind, want[kind])
			})
		})
	}
}

// recipes are those whose variants the steps were made with.
var recipes = map[string]string{"scenes": "scenes-soft.yaml", "photos": "photos.yaml"}

func checkSteps(t *testing.T, backend compute.Backend, kind string, want []map[string]float64) {
	l, err := settings.Load("../../../recipes/"+recipes[kind], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := l.Settings
	shrink(&s.Model)
	s.Optimizer.WeightDecay = stepsDecay
	if err := s.Model.Validate(); err != nil {
		t.Fatal(err)
	}
	stepper, err := New(backend, s, formulaValues(s.Model))
	if err != nil {
		t.Fatal(err)
	}
	defer stepper.Close()
	b := formulaBatch(kind)
	if len(want) == 0 {
		t.Fatal("no steps to compare with")
	}
	for step, numbers := range want {
		got, ok, err := stepper.Step(b, step, stepsRate)
		if err != nil || !ok {
			t.Fatalf("step %d: %v, %v", step, ok, err)
		}
		for name, v := range numbers {
			if d := math.Abs(got[name]-v) / v; !(d < 1e-4) {
				t.Errorf("step %d: %s is %.7g, PyTorch has %.7g", step, name, got[name], v)
			}
		}
	}
}

// shrink makes a recipe's network tiny.
func shrink(c *network.Config) {
	c.ImageSize, c.Width, c.ProjectionWidth, c.EmbedWidth = stepsImage, 16, 24, 12
	c.Text = network.TextConfig{Vocabulary: stepsVocabulary, Context: stepsContext, Width: 16, Depth: 1, Heads: 2, MLPRatio: 4}
	c.Variant.Stem.Channels, c.Variant.LocalMLP = []int{8, 12, 16}, 32
	if c.HasGroups() {
		c.GroupTokens, c.OutputGroups = []int{5}, []int{5}
	}
}

// formulaNumber is r(k, j) of tools/reference/formula.py, in [-0.5, 0.5).
func formulaNumber(k, j uint32) float64 {
	u := k*2654435761 + j*40503 + 1
	u ^= u >> 15
	u *= 2246822519
	u ^= u >> 13
	return float64(u)/(1<<32) - 0.5
}

// formulaValues are the weights of that file.
func formulaValues(c network.Config) map[string][]float32 {
	out := map[string][]float32{}
	for k, p := range c.Params() {
		values := make([]float32, p.Size())
		out[p.Name] = values
		for j := range values {
			values[j] = float32(formulaWeight(p, formulaNumber(uint32(k), uint32(j))))
		}
	}
	return out
}

func formulaWeight(p network.Param, r float64) float64 {
	ends := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(p.Name, n) })
	}
	switch {
	case len(p.Shape) == 0:
		return 2.5
	case ends("running_var"):
		return 1 + 0.6*r
	case ends("running_mean"):
		return 0.4 * r
	case ends("token_embedding.weight", "position_embedding.weight", "position_embeddings", "group_token"):
		return 2 * r
	case len(p.Shape) == 1 && ends(".weight"):
		return 1 + 0.4*r
	case len(p.Shape) == 1:
		return 0.2 * r
	}
	gain := 1.5
	if ends("assign.q_proj.weight", "assign.k_proj.weight") {
		gain = 4
	}
	return gain * math.Sqrt(12/float64(p.Size()/p.Shape[0])) * r
}

// formulaBatch is the batch of train_steps.py.
func formulaBatch(kind string) *pairs.Batch {
	const n, side = stepsBatch * stepsPrompts, stepsImage
	b := &pairs.Batch{Size: stepsBatch, ImageSize: side, Context: stepsContext, U: stepsPrompts}
	for i := range uint32(stepsBatch) {
		for j := range uint32(3 * side * side) {
			square := formulaNumber(100000+i, j/(side*side)*64*64) // a picture is one square of 32 pixels
			b.Pixels = append(b.Pixels, float32(3*square+formulaNumber(200000+i, j)))
		}
		b.CaptionWeight = append(b.CaptionWeight, 1)
	}
	for i := range uint32(stepsBatch + stepsPrompts) {
		text := make([]int32, stepsContext)
		words := 1 + i%5
		for j := range words {
			text[1+j] = 1 + int32((formulaNumber(300000+i, j)+0.5)*(stepsVocabulary-4))
		}
		text[0], text[1+words] = stepsVocabulary-2, stepsVocabulary-1
		if i < stepsBatch {
			b.Captions = append(b.Captions, text...)
		} else {
			b.Prompts = append(b.Prompts, text...)
		}
	}
	for j := range uint32(n) {
		target, known := float32(0), float32(1)
		if draw := formulaNumber(400000, j); draw > 0.4 {
			target = 2
		} else if draw > 0.1 {
			target = 1
		}
		if j%stepsPrompts == stepsPrompts-1 {
			target = 0 // padding
		}
		if kind == "photos" && formulaNumber(500000, j) > 0.2 {
			known = 0
		}
		b.Targets, b.Known = append(b.Targets, target), append(b.Known, known)
	}
	if kind == "photos" {
		b.CaptionWeight[1], b.CaptionWeight[4] = 0, 0
	}
	return b
}
