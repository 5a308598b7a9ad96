package groupvit

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/internal/weights"
)

// evalName is the file of a model directory that says how the model is best
// used under protocol best.
const evalName = "eval.json"

// evalFile is that file.
type evalFile struct {
	assign.Rule
	// Threshold is the background threshold of "auto"; 0 is none.
	Threshold float64 `json:"background_threshold,omitempty"`
	// BackgroundRule says how the hidden words act: "words" (the default) lets the
	// best of them take a pixel; with "probability" they only lower the labels'
	// probability, which is compared with the threshold.
	BackgroundRule string `json:"background_rule,omitempty"`
	// Templates are the prompts that the model was trained with. StuffTemplates,
	// if any, are those of the words in StuffWords.
	Templates      templateList `json:"templates"`
	StuffTemplates templateList `json:"stuff_templates"`
	StuffWords     []string     `json:"stuff_words"`
	// Words are those that the model was trained to find, if it learnt from a list.
	Words trainedWords `json:"words"`
	// BackgroundWords are the hidden words that compete for background: those of
	// ground and scenery that the model knows. None are vocab.BackgroundWords.
	BackgroundWords []string `json:"background_words"`
}

// The background rules.
const (
	byWords       = "words"
	byProbability = "probability"
)

// prompts are those of protocol best.
func (e evalFile) prompts() prompts {
	return prompts{forms: e.Templates, stuffForms: e.StuffTemplates, stuff: e.StuffWords}
}

func readEval(w *weights.Model) (evalFile, error) {
	short, err := namedPrompts("short")
	if err != nil {
		return evalFile{}, err
	}
	e := evalFile{Rule: defaultRule(w.Config), Templates: short.forms, BackgroundWords: vocab.BackgroundWords()}
	b, ok := w.Extra[evalName]
	if !ok {
		return e, nil
	}
	e.Rule, e.BackgroundWords = assign.Rule{}, nil
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, fmt.Errorf("%s: %w", evalName, err)
	}
	if e.ShortSide == 0 {
		e.Rule = defaultRule(w.Config)
	}
	if len(e.BackgroundWords) == 0 {
		e.BackgroundWords = vocab.BackgroundWords()
	}
	if e.LongSide == 0 { // an endless strip would otherwise become one
		e.LongSide = 8 * e.ShortSide
	}
	if e.Window > 0 && e.Stride == 0 {
		e.Stride = max(1, e.Window/2)
	}
	return e, e.check(w.Config)
}

func (e evalFile) check(c network.Config) error {
	for _, v := range []struct {
		key       string
		value     int
		low, high int
	}{
		{"short_side", e.ShortSide, c.PatchSize, limits.SeenSide}, {"long_side", e.LongSide, 0, 8 * limits.SeenSide},
		{"window", e.Window, 0, limits.SeenSide}, {"stride", e.Stride, 0, limits.SeenSide},
	} {
		if v.value < v.low || v.value > v.high {
			return fmt.Errorf("%s: %s is %d, allowed are %d to %d", evalName, v.key, v.value, v.low, v.high)
		}
	}
	if e.Window > 0 && e.Window < c.PatchSize {
		return fmt.Errorf("%s: window is %d, the model's patches are %d", evalName, e.Window, c.PatchSize)
	}
	if r := e.BackgroundRule; r != "" && r != byWords && r != byProbability {
		return fmt.Errorf("%s: background_rule is %q, allowed are %s and %s", evalName, r, byWords, byProbability)
	}
	if e.BackgroundRule == byProbability && e.Threshold == 0 {
		return fmt.Errorf("%s: background_rule %s needs a background_threshold above 0", evalName, byProbability)
	}
	if !(e.Threshold >= 0 && e.Threshold <= 1) {
		return fmt.Errorf("%s: background_threshold is %g, allowed are 0 to 1", evalName, e.Threshold)
	}
	for key, words := range map[string][]string{"stuff_words": e.StuffWords, "background_words": e.BackgroundWords} {
		if err := checkWords(evalName+": "+key, words); err != nil {
			return err
		}
	}
	return nil
}

// defaultRule is the paper's for the paper's network; small variants look at a
// photo at one and a half times their training size.
func defaultRule(c network.Config) assign.Rule {
	if c.IsPaper() {
		return assign.PaperRule(c.ImageSize)
	}
	s := (c.ImageSize*3/2 + c.PatchSize - 1) / c.PatchSize * c.PatchSize
	return assign.Rule{ShortSide: s, LongSide: 8 * s, Window: s, Stride: max(1, s/2)}
}

// rule returns at which size a protocol looks at a photo.
func (m *Model) rule(o *SegmentOptions) (assign.Rule, error) {
	var r assign.Rule
	switch o.Protocol {
	case Paper, TCL:
		r = assign.PaperRule(m.config.ImageSize)
	case SCLIP:
		r = sclipFor(o.Benchmark).rule(m.config.ImageSize)
	case Port:
		if o.ShortSide != 0 {
			return r, fmt.Errorf("%w: short side %d, but protocol hf looks at %d×%d pixels: leave it out", ErrOption, o.ShortSide, m.config.ImageSize, m.config.ImageSize)
		}
		return assign.Rule{ShortSide: m.config.ImageSize, Squash: true}, nil
	default:
		r = m.eval.Rule
	}
	if s := o.ShortSide; s != 0 {
		if s < m.config.PatchSize || s > limits.SeenSide {
			return r, fmt.Errorf("%w: short side %d, allowed are %d to %d pixels", ErrOption, s, m.config.PatchSize, limits.SeenSide)
		}
		r.LongSide = r.LongSide * s / r.ShortSide
		r.ShortSide = s
		if r.Window > 0 && o.Protocol != SCLIP {
			r.Window, r.Stride = s, max(1, s/2)
		}
	}
	return r, nil
}
