package groupvit

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/internal/weights"
)

// usage is how protocol best uses a model: its eval.json, or defaults.
type usage struct {
	rule assign.Rule
	// threshold is the background threshold of "auto"; 0 is none.
	threshold float64
	// byProbability: the background vocabulary only lowers the labels' probability;
	// else its best word takes a pixel.
	byProbability bool
	prompts       prompts
	// background is the background vocabulary.
	background []string
	words      trainedWords
}

// readUsage reads a model's eval.json.
func readUsage(w *weights.Model) (usage, error) {
	short, err := namedPrompts("short")
	if err != nil {
		return usage{}, err
	}
	u := usage{rule: defaultRule(w.Config), prompts: short, background: vocab.BackgroundWords()}
	b, ok := w.Extra[modelfile.EvalName]
	if !ok {
		return u, nil
	}
	e, err := modelfile.ReadEval(b)
	if err != nil {
		return u, err
	}
	if err := e.Check(w.Config.PatchSize); err != nil {
		return u, fmt.Errorf("%s: %w", modelfile.EvalName, err)
	}
	u.threshold, u.byProbability = e.Threshold, e.BackgroundRule == modelfile.ByProbability
	u.rule = ruleOf(e, u.rule)
	if !e.Templates.IsZero() {
		u.prompts.forms = e.Templates
	}
	u.prompts.stuffForms, u.prompts.stuff = e.StuffTemplates, e.StuffWords
	if len(e.BackgroundWords) > 0 {
		u.background = e.BackgroundWords
	}
	if u.words, err = newTrainedWords(e.Words); err != nil {
		return u, fmt.Errorf("%s: words: %w", modelfile.EvalName, err)
	}
	return u, nil
}

// ruleOf is the rule of an eval.json, or the default where it has none.
func ruleOf(e modelfile.Eval, byDefault assign.Rule) assign.Rule {
	r := assign.Rule{ShortSide: e.ShortSide, LongSide: e.LongSide, Squash: e.Squash, Window: e.Window, Stride: e.Stride}
	if r.ShortSide == 0 {
		return byDefault
	}
	if r.LongSide == 0 { // an endless strip would otherwise become one
		r.LongSide = 8 * r.ShortSide
	}
	if r.Window > 0 && r.Stride == 0 {
		r.Stride = max(1, r.Window/2)
	}
	return r
}

// defaultRule is the paper's for the paper's network; small variants encode a photo at
// one and a half times their training size.
func defaultRule(c network.Config) assign.Rule {
	if c.IsPaper() {
		return assign.PaperRule(c.ImageSize)
	}
	s := (c.ImageSize*3/2 + c.PatchSize - 1) / c.PatchSize * c.PatchSize
	return assign.Rule{ShortSide: s, LongSide: 8 * s, Window: s, Stride: max(1, s/2)}
}

// readCalibration is that of the options, else the model directory's, else empty.
func readCalibration(w *weights.Model, path string) (*modelfile.Calibration, error) {
	name, b := modelfile.CalibrationName, w.Extra[modelfile.CalibrationName]
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%w: calibration: %w", ErrOption, err)
		}
		defer f.Close()
		if b, err = io.ReadAll(io.LimitReader(f, limits.ConfigBytes+1)); err != nil {
			return nil, fmt.Errorf("%w: calibration: %w", ErrOption, err)
		}
		name = path
	}
	if b == nil {
		return &modelfile.Calibration{}, nil
	}
	c, err := modelfile.ReadCalibration(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// readCounts is the model directory's word_counts.json; nil where there is none.
func readCounts(w *weights.Model) (*modelfile.WordCounts, error) {
	b, ok := w.Extra[modelfile.WordCountsName]
	if !ok {
		return nil, nil
	}
	return modelfile.ReadWordCounts(b)
}
