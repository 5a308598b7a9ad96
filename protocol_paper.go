package groupvit

import (
	"context"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/mask"
)

// paper is the evaluation of the paper's code (Xu et al., CVPR 2022):
//
//   - The photo's short side becomes twice the training size (448 pixels), as OpenCV
//     resizes, and square windows of that side slide over it by half of theirs.
//   - A label is one prompt, "a photo of a {}."; synonyms are not asked.
//   - In each window, a pixel belongs to the group whose soft map is the largest there.
//     Only the five labels nearest to the window as a whole can win; a group's score
//     for one of them is the product of two softmaxes over labels.
//   - A group whose best score is below the threshold of the benchmark is background,
//     unless it is the best group of the window.
//   - Windows are averaged, and the highest score wins.
type paper struct{ openCV }

func (paper) traits() traits {
	return traits{needsGroups: true, published: true, naming: vocab.OneName}
}

func (paper) prompts(*Model) (prompts, error) { return namedPrompts("simple") }

func (paper) planes(_ *Encoded, classes []vocab.Class) int { return len(classes) + 1 }

// paperThreshold is the background threshold of the paper's code: each of its
// datasets has one.
func paperThreshold(benchmark string) float64 {
	if benchmark == "context60" {
		return 0.35
	}
	return 0.95 // VOC, COCO-Object, and where a dataset has none
}

func (paper) score(ctx context.Context, e *Encoded, q *query, r *Report) (scored, error) {
	threshold := q.Background.resolve(paperThreshold(e.benchmark))
	r.Background = thresholdText(threshold)
	text, err := e.firstNames(ctx, q, r, false)
	return &paperScores{e, text, threshold}, err
}

// paperScores score with a threshold in the windows themselves.
type paperScores struct {
	e         *Encoded
	text      []float32
	threshold float64
}

// sigma is the temperature of the paper's softmaxes.
func (s *paperScores) sigma() float64 { return s.e.model.Sharpness() }

func (s *paperScores) decide(ctx context.Context, width, height int, keep bool) (*decided, error) {
	scores, err := assign.Paper(ctx, s.e.view(), s.text, s.e.model.config.EmbedWidth, s.sigma(), s.threshold)
	if err != nil {
		return nil, err
	}
	return decideScores(ctx, scores, width, height, keep)
}

func (s *paperScores) sweep(ctx context.Context, thresholds []float64) ([]*mask.Map, error) {
	return assign.PaperSweep(ctx, s.e.view(), s.text, s.e.model.config.EmbedWidth, s.sigma(), thresholds)
}

// decideScores gives every pixel the label with the best score.
func decideScores(ctx context.Context, scores *assign.Scores, width, height int, keep bool) (*decided, error) {
	r, err := scores.Decide(ctx, width, height, 0, keep)
	if err != nil {
		return nil, err
	}
	return &decided{pixels: r.Map, means: r.Mean, scores: r.Scores, planes: scores.AsPlanes()}, nil
}

// openCV is how the paper's code encodes a photo, and TCL's and SCLIP's after it:
// mmcv's, which is OpenCV.
type openCV struct{ plain }

func (openCV) rule(m *Model, _ string, shortSide int) (assign.Rule, error) {
	return m.withShortSide(assign.PaperRule(m.config.ImageSize), shortSide, true)
}

func (openCV) read(im *imaging.Image, width, height int) (*imaging.Image, error) {
	return imaging.ResizeOpenCV(im, width, height)
}

// CLIP's mean and deviation.
var (
	clipMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	clipStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// normalization is ImageNet's for one of the paper's checkpoints that was converted for
// the Hugging Face port: the conversion stored CLIP's mean beside them, but they were
// trained, and measured by the paper's code, with ImageNet's. A model trained here has
// an eval.json.
func (openCV) normalization(m *Model) (mean, std [3]float32) {
	mean, std = m.weights.Mean, m.weights.Std
	if m.Settings() == nil && m.config.IsPaper() && mean == clipMean && std == clipStd {
		return weights.ImageNetMean, weights.ImageNetStd
	}
	return mean, std
}

func (openCV) note(m *Model, _ string, r assign.Rule) string {
	return noteAgainst(assign.PaperRule, m.config.ImageSize, r)
}
