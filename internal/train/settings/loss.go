package settings

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
)

// Loss says which loss is minimised.
type Loss struct {
	// Kind is "softmax", the paper's, which compares each pair with the batch, or
	// "sigmoid" (SigLIP), which judges each by itself.
	Kind string
	// SoftTargets says which captions fit a picture beside its own: "none", those
	// of "equal" text, or "nouns": those that share nouns with it too.
	SoftTargets string
	// SoftWeight is how well a caption fits that has all nouns of a picture's,
	// but is another text.
	SoftWeight float64
	// NounsWeight multiplies the noun loss.
	NounsWeight float64
	// ShareTemperature gives both losses the temperature of the image–text loss.
	ShareTemperature bool
	// ExplainWeight multiplies the loss that wants every patch explained by a word
	// of its picture (network.ExplainLoss).
	ExplainWeight float64
	// TeachWeight multiplies the loss by which patches teach groups their words
	// (network.TeachLoss).
	TeachWeight float64
	// DenseWeight multiplies the loss of label maps for the patches
	// (network.DenseLoss), DenseGroupWeight that for the groups' map.
	DenseWeight, DenseGroupWeight float64
}

// Values of Loss.Kind and Loss.SoftTargets.
const (
	LossSoftmax = "softmax"
	lossSigmoid = "sigmoid"

	softNone  = "none"
	SoftEqual = "equal"
	SoftNouns = "nouns"
)

func defaultLoss() Loss {
	return Loss{Kind: LossSoftmax, SoftTargets: softNone, SoftWeight: 0.5, NounsWeight: 1}
}

func (l Loss) Config() network.LossConfig {
	return network.LossConfig{
		Sigmoid: l.Kind == lossSigmoid, NounWeight: l.NounsWeight, ShareTemperature: l.ShareTemperature,
		ExplainWeight: l.ExplainWeight, TeachWeight: l.TeachWeight,
		DenseWeight: l.DenseWeight, DenseGroupWeight: l.DenseGroupWeight,
	}
}

// validateParts checks the losses of single patches and groups.
func (s Settings) validateParts() error {
	bad := func(key, format string, args ...any) error {
		return fmt.Errorf("%w: loss.%s: %s", ErrSettings, key, fmt.Sprintf(format, args...))
	}
	l := s.Loss
	for key, weight := range map[string]float64{
		"explain_weight": l.ExplainWeight, "teach_weight": l.TeachWeight,
		"dense_weight": l.DenseWeight, "dense_group_weight": l.DenseGroupWeight,
	} {
		switch {
		case !(weight >= 0 && weight <= 1e6):
			return bad(key, "%g: it must be from 0 to 1e6", weight)
		case weight > 0 && s.Model.Variant.PatchEmbeddings == "":
			return bad(key, "%g looks at patches: set model.variant.patch_embeddings", weight)
		case weight > 0 && s.Data.Nouns.Mode == pairs.NounsNone:
			return bad(key, "%g needs nouns: data.nouns.mode is %q", weight, pairs.NounsNone)
		}
	}
	if l.TeachWeight > 0 && !s.Model.HasGroups() {
		return bad("teach_weight", "%g: the model has no groups that could be taught", l.TeachWeight)
	}
	if l.DenseGroupWeight > 0 && !s.Model.HasGroups() {
		return bad("dense_group_weight", "%g: the model has no groups", l.DenseGroupWeight)
	}
	return nil
}

// Dense reports whether a loss learns from label maps.
func (l Loss) Dense() bool { return l.DenseWeight > 0 || l.DenseGroupWeight > 0 }

// Explains tells whether a loss asks which words may explain a part of a picture.
func (l Loss) Explains() bool { return l.ExplainWeight > 0 || l.TeachWeight > 0 }

// Soft tells whether captions may fit several pictures.
func (l Loss) Soft() bool { return l.SoftTargets == SoftEqual || l.SoftTargets == SoftNouns }
