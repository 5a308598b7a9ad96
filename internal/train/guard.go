package train

import (
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/train/settings"
)

// guard decides which steps are broken. What it decides follows from the losses
// before, which a checkpoint holds, so a continued run decides the same.
type guard struct {
	settings settings.Safety
	// least is how far above the median a loss must be in any case: half of the
	// loss of a model that has learnt nothing. A batch of a model that has learnt
	// much may well be far from the others in their deviations.
	least float64
	state guardState
}

// guardState is what a checkpoint holds of the guard.
type guardState struct {
	// Recent are the losses of the last good steps, oldest first.
	Recent []float64 `json:"recent"`
	// InRow is the number of broken steps since the last good one, Skipped that
	// of all.
	InRow   int `json:"in_row"`
	Skipped int `json:"skipped"`
	// SinceBack is the part of InRow since the last roll back, RollBacks the
	// number of these.
	SinceBack int `json:"since_back"`
	RollBacks int `json:"roll_backs"`
	// Due says that a checkpoint waits for a good step.
	Due bool `json:"due"`
}

func newGuard(s settings.Safety, batch int) *guard {
	return &guard{settings: s, least: math.Log(float64(batch)) / 2}
}

// deviation makes a median of distances from the median the deviation of a
// normal distribution.
const deviation = 1.4826

// Limit is the largest loss of a good step: the median of the last losses, and
// Spike deviations (by the median distance from it, which outliers do not move)
// or half of ln(batch) above it, whichever is more. Until Window losses are known
// any finite loss is good.
func (g *guard) limit() float32 {
	s := g.settings
	if s.Spike == 0 || len(g.state.Recent) < s.Window {
		return math.MaxFloat32
	}
	middle := median(g.state.Recent)
	distances := make([]float64, len(g.state.Recent))
	for i, loss := range g.state.Recent {
		distances[i] = math.Abs(loss - middle)
	}
	return float32(middle + max(s.Spike*deviation*median(distances), g.least))
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// good records a good step.
func (g *guard) good(loss float64) {
	s := &g.state
	s.InRow, s.SinceBack = 0, 0
	if s.Recent = append(s.Recent, loss); len(s.Recent) > g.settings.Window {
		s.Recent = slices.Clone(s.Recent[len(s.Recent)-g.settings.Window:])
	}
}

// broken records a broken step; back says that the run has to go back to its
// last good state.
func (g *guard) broken() (back bool) {
	s := &g.state
	s.InRow++
	s.SinceBack++
	s.Skipped++
	return g.settings.RollBackAfter > 0 && s.SinceBack >= g.settings.RollBackAfter
}

// wentBack takes over what was known at the good state, except what counts how
// often that happened.
func (g *guard) wentBack(then guardState) {
	now := g.state
	g.state = then
	g.state.InRow, g.state.Skipped, g.state.RollBacks = now.InRow, now.Skipped, now.RollBacks+1
	g.state.SinceBack, g.state.Due = 0, false
}
