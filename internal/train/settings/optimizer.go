package settings

import (
	"math"
	"path"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/network"
)

// Kinds of tensors that Optimizer.NoDecay may name.
const (
	Positions    = "positions"
	GroupTokens  = "group_tokens"
	Temperatures = "temperatures"
	Embeddings   = "embeddings"
)

var noDecayKinds = []string{Positions, GroupTokens, Temperatures, Embeddings}

// Decays tells whether weight decay applies to a tensor: not to biases and
// tensors of one axis (the official rule, which leaves it on for temperatures,
// positions and group tokens), nor to the kinds that the settings name.
func (o Optimizer) Decays(p network.Param) bool {
	if !p.Decay {
		return false
	}
	kind := ""
	switch {
	case strings.Contains(p.Name, "position_embedding"):
		kind = Positions
	case strings.HasSuffix(p.Name, ".group_token"):
		kind = GroupTokens
	case len(p.Shape) == 0:
		kind = Temperatures
	case strings.HasSuffix(p.Name, "token_embedding.weight"):
		kind = Embeddings
	}
	return !slices.Contains(o.NoDecay, kind)
}

// Frozen tells whether training leaves a tensor as it is.
func (o Optimizer) Frozen(name string) bool {
	matches := func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }
	return slices.ContainsFunc(o.Freeze, matches) || len(o.TrainOnly) > 0 && !slices.ContainsFunc(o.TrainOnly, matches)
}

// EmaDecay is the decay of the averages at update n, from 1: shorter at the
// start, so that the average forgets the random weights (Tan and Le's
// EfficientNet, after TensorFlow's ExponentialMovingAverage).
func (o Optimizer) EmaDecay(n int) float64 {
	return min(o.EMA, (1+float64(n))/(10+float64(n)))
}

// Corrections are AdamW's bias corrections of update t, from 1: what the
// moments are divided by.
func (o Optimizer) Corrections(t int) (first, second float64) {
	return 1 - math.Pow(o.Betas[0], float64(t)), 1 - math.Pow(o.Betas[1], float64(t))
}
