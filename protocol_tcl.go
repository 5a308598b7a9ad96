package groupvit

import (
	"context"
	"math"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// tcl is the unified evaluation of TCL (Cha et al., CVPR 2023). It fixes everything
// around a network but not the network, whose cosines of groups or patches it takes:
//
//   - Photos are encoded as under protocol paper.
//   - A label is nine prompts, whose vectors are averaged before they become unit
//     vectors; synonyms are not asked.
//   - A label's score in a cell of the grid is the sigmoid of its scaled cosine,
//     upsampled and averaged over windows.
//   - Background has one constant score everywhere. The highest score wins.
type tcl struct{ openCV }

// tclBackground is the constant score of background without post-processing.
const tclBackground = 0.5

func (tcl) traits() traits { return traits{published: true, naming: vocab.OriginalName} }

func (tcl) prompts(*Model) (prompts, error) { return namedPrompts("tcl") }

func (tcl) planes(_ *Encoded, classes []vocab.Class) int { return len(classes) + 1 }

func (tcl) score(ctx context.Context, e *Encoded, q *query, r *Report) (scored, error) {
	text, err := e.firstNames(ctx, q, r, true)
	if err != nil {
		return nil, err
	}
	background := q.Background.resolve(tclBackground)
	r.Background = thresholdText(background)
	scores, err := assign.TCL(ctx, e.view(), text, e.model.config.EmbedWidth, e.model.source())
	return &tclScores{e, scores, background}, err
}

type tclScores struct {
	e          *Encoded
	scores     *assign.Scores // of labels alone
	background float64        // NaN: none
}

func (s *tclScores) decide(ctx context.Context, width, height int, keep bool) (*decided, error) {
	scores := s.scores
	if !math.IsNaN(s.background) {
		scores = scores.WithConstant(float32(s.background))
	}
	return decideScores(ctx, scores, width, height, keep)
}

func (s *tclScores) sweep(ctx context.Context, thresholds []float64) ([]*mask.Map, error) {
	v := s.e.view()
	return s.scores.ConstantSweep(ctx, v.Width, v.Height, thresholds)
}
