package groupvit

import (
	"context"
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// hf is the segmentation output of the Hugging Face port:
//
//   - The photo is squashed to a square of the training size, as Pillow's bicubic
//     resizes, and encoded in one pass.
//   - A label is one prompt, "a photo of a {}."; synonyms are not asked.
//   - A pixel's score for a label is the mean of the groups' cosines, weighted by its
//     soft assignment to them, times the temperature twice (which the port does not
//     clamp), upsampled bilinearly.
//   - The highest score wins; there is no background.
type hf struct{ plain }

func (hf) traits() traits {
	return traits{needsGroups: true, noBackground: true, published: true, naming: vocab.OneName}
}

func (hf) rule(m *Model, _ string, shortSide int) (assign.Rule, error) {
	size := m.config.ImageSize
	if shortSide != 0 {
		return assign.Rule{}, fmt.Errorf("%w: short side %d, but protocol hf encodes at %d×%d pixels: leave it out", ErrOption, shortSide, size, size)
	}
	return assign.Rule{ShortSide: size, Squash: true}, nil
}

func (hf) read(im *imaging.Image, width, height int) (*imaging.Image, error) {
	return imaging.ResizePIL(im, width, height, imaging.Bicubic)
}

func (hf) prompts(*Model) (prompts, error) { return namedPrompts("simple") }

func (hf) planes(_ *Encoded, classes []vocab.Class) int { return len(classes) + 1 }

func (hf) note(m *Model, _ string, _ assign.Rule) string {
	if size := m.config.ImageSize; size != publishedSize {
		return fmt.Sprintf("the model was trained at %d pixels, not %d", size, publishedSize)
	}
	return ""
}

func (hf) score(ctx context.Context, e *Encoded, q *query, r *Report) (scored, error) {
	r.Background = thresholdText(math.NaN())
	text, err := e.firstNames(ctx, q, r, false)
	if err != nil {
		return nil, err
	}
	scores, err := assign.HF(ctx, e.view(), text, e.model.config.EmbedWidth, e.model.scale)
	return hfScores{scores}, err
}

type hfScores struct{ *assign.Scores }

func (s hfScores) decide(ctx context.Context, width, height int, keep bool) (*decided, error) {
	return decideScores(ctx, s.Scores, width, height, keep)
}

func (hfScores) sweep(context.Context, []float64) ([]*mask.Map, error) {
	return nil, errNoBackground(HF)
}
