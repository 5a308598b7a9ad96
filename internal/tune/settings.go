package tune

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/weights"
)

// The defaults of Options, chosen on CamVid (docs/tune.md), and the learning rate.
const (
	DefaultHoldOut      = 0.25
	DefaultSteps        = 400
	DefaultBatch        = 16
	DefaultLearningRate = 5e-4
)

const (
	// measurements is how often the photos set aside are measured.
	measurements = 8
	// cacheSide is the side of photos in memory, over that of the pictures that the
	// model is trained on.
	cacheSide = 2
)

// settingsFor returns the settings of the training: from a model's own configuration, its words and
// prompts, with the loss of label maps.
func settingsFor(m *weights.Model, e modelfile.Eval, words []nouns.Word, o Options) (settings.Settings, error) {
	s := settings.Default()
	if m.Config.Variant.PatchEmbeddings == "" || !m.Config.NounLoss {
		return s, fmt.Errorf("%w: the model learns no map of patches from words (model.variant.patch_embeddings, model.noun_loss): "+
			"tune the embedded model, or one trained by a recipe such as recipes/photos.yaml", ErrModel)
	}
	s.Name, s.Seed, s.Steps, s.Batch = "tune", o.Seed, o.Steps, o.Batch
	s.Engine, s.Threads, s.Precision = cmp.Or(o.Compute.Engine, s.Engine), o.Compute.Threads, cmp.Or(o.Compute.Precision, s.Precision)
	s.Init, s.Model = filepath.Join(o.Output, startDir), m.Config
	s.Data.Mean, s.Data.Std = m.Mean, m.Std
	s.Data.ShuffleBuffer, s.Data.CacheSide = 0, cacheSide*m.Config.ImageSize
	s.Data.Nouns = settings.Nouns{Mode: pairs.NounsList, Distinct: true, Pad: 16, Templates: []string{"short"}}
	if !e.Templates.IsZero() {
		s.Data.Nouns.Templates = e.Templates.Forms
	}
	s.Data.Nouns.StuffTemplates = e.StuffTemplates.Forms
	s.Data.Nouns.SetWords(words)
	a := pairs.PaperAugment()
	a.Crop, a.Side, a.Flip, a.Rand.Operations, a.Erase = pairs.CropBatch, [2]float64{0.4, 1}, 0.5, 0, 0
	a.Area, a.Aspect = s.Data.Augment.Area, s.Data.Augment.Aspect
	a.Contrast, a.Brightness, a.Channel = 0.3, 0.3, 0.15
	s.Data.Augment = a
	s.Loss.DenseWeight, s.Loss.NounsWeight = 3, 0.5
	if m.Config.HasGroups() {
		s.Loss.DenseGroupWeight = 3
	}
	s.Optimizer.LearningRate, s.Optimizer.Betas, s.Optimizer.Clip, s.Optimizer.EMA = DefaultLearningRate, [2]float64{0.9, 0.98}, 1, 0.98
	s.Optimizer.NoDecay = []string{"positions", "group_tokens", "temperatures"}
	s.Optimizer.Freeze = []string{firstLayer(m)}
	s.Schedule = settings.Schedule{Name: "cosine", WarmupShare: 0.05, WarmupRate: 1e-5, FinalRate: 1e-5}
	s.Evaluate = evaluation(e)
	s.Output.CheckpointEvery, s.Output.Half = max(1, o.Steps/measurements), o.Half
	s.Measure.Every, s.Measure.Pictures = max(1, o.Steps/measurements), 0
	return s, nil
}

// evaluation is how the model is used, but for its words.
func evaluation(e modelfile.Eval) settings.Evaluate {
	return settings.Evaluate{
		ShortSide: e.ShortSide, Squash: e.Squash, Window: e.Window, Stride: e.Stride,
		BackgroundThreshold: e.Threshold, BackgroundRule: e.BackgroundRule, BackgroundKinds: []string{nouns.Stuff.String()},
	}
}

// firstLayer are the tensors of what sees the pixels: edges and colours are the same
// in all photos, and few photos would spoil it.
func firstLayer(m *weights.Model) string {
	for _, p := range m.Config.Params() {
		if strings.HasPrefix(p.Name, "local_model.stem.0.conv.") {
			return "local_model.stem.0.conv.*"
		}
	}
	return "vision_model.embeddings.patch_embeddings.*"
}
