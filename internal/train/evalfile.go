package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// EvalFile is the file of a model directory that says how the model is best
// used; the library reads it for its protocol "best".
const EvalFile = "eval.json"

// Evaluate says how the trained model is best used. Together with the prompts it
// was trained with, it becomes the model's eval.json.
type Evaluate struct {
	// ShortSide is what a photo's short side becomes, in pixels; 0 is the
	// library's choice. Squash makes the photo a square of that side.
	ShortSide int
	Squash    bool
	// Window and Stride are those of the sliding window; 0 looks at the whole
	// photo at once.
	Window, Stride int
	// BackgroundThreshold, if positive, makes background of pixels whose best
	// label is less probable than this, 0 to 1.
	BackgroundThreshold float64
	// BackgroundRule is "words", where the best background word takes a pixel (the
	// default), or "probability", where they only lower the labels' probability.
	BackgroundRule string
	// BackgroundKinds are the kinds of the word list ("stuff", "thing", "body",
	// "class") whose words compete for background.
	BackgroundKinds []string
}

func (e Evaluate) validate(c network.Config) error {
	switch {
	case e.ShortSide != 0 && (e.ShortSide < c.PatchSize || e.ShortSide > 4096):
		return fmt.Errorf("short_side %d: it must be 0 or %d (the patch size) to 4096", e.ShortSide, c.PatchSize)
	case e.Window != 0 && (e.Window < c.PatchSize || e.Window > 4096) || e.Stride < 0 || e.Stride > 4096:
		return fmt.Errorf("window %d and stride %d: they must be 0, or %d (the patch size) and 1 to 4096", e.Window, e.Stride, c.PatchSize)
	case e.ShortSide == 0 && (e.Squash || e.Window != 0):
		return fmt.Errorf("squash and window need short_side")
	case !(e.BackgroundThreshold >= 0 && e.BackgroundThreshold <= 1):
		return fmt.Errorf("background_threshold %g: it must be in [0, 1]", e.BackgroundThreshold)
	case e.BackgroundRule != "" && e.BackgroundRule != "words" && e.BackgroundRule != "probability":
		return fmt.Errorf("background_rule %q: it must be words or probability", e.BackgroundRule)
	case e.BackgroundRule == "probability" && e.BackgroundThreshold == 0:
		return fmt.Errorf("background_rule probability needs a background_threshold above 0")
	}
	for _, kind := range e.BackgroundKinds {
		if _, err := nouns.ParseKind(kind); err != nil {
			return fmt.Errorf("background_kinds: %w", err)
		}
	}
	return nil
}

// evalJSON is an eval.json.
type evalJSON struct {
	ShortSide       int        `json:"short_side,omitempty"`
	Squash          bool       `json:"squash,omitempty"`
	Window          int        `json:"window,omitempty"`
	Stride          int        `json:"stride,omitempty"`
	Threshold       float64    `json:"background_threshold,omitempty"`
	BackgroundRule  string     `json:"background_rule,omitempty"`
	Templates       []string   `json:"templates,omitempty"`
	StuffTemplates  []string   `json:"stuff_templates,omitempty"`
	StuffWords      []string   `json:"stuff_words,omitempty"`
	BackgroundWords []string   `json:"background_words,omitempty"`
	Words           [][]string `json:"words,omitempty"`
}

// evalFile is the model's eval.json; nil where there is nothing to say, as for
// the published recipes: their model is used as the paper does.
func (s Settings) evalFile() ([]byte, error) {
	e := s.Evaluate
	out := evalJSON{ShortSide: e.ShortSide, Squash: e.Squash, Window: e.Window, Stride: e.Stride, Threshold: e.BackgroundThreshold, BackgroundRule: e.BackgroundRule}
	if s.Data.Nouns.Mode == pairs.NounsList {
		o, err := s.pairsOptions()
		if err != nil {
			return nil, err
		}
		words := o.Nouns.Words
		if words == nil {
			words = nouns.Builtin()
		}
		out.Templates, out.StuffTemplates = o.Nouns.Templates, o.Nouns.StuffTemplates
		out.list(words, e.BackgroundKinds)
	}
	b, err := json.Marshal(out)
	if err != nil || string(b) == "{}" {
		return nil, err
	}
	return topLevelLines(b)
}

// list adds the words that the model learns to find.
func (out *evalJSON) list(words []nouns.Word, backgroundKinds []string) {
	for _, w := range words {
		out.Words = append(out.Words, append([]string{w.Name}, w.Synonyms...))
		if w.Kind == nouns.Stuff && len(out.StuffTemplates) > 0 {
			out.StuffWords = append(out.StuffWords, w.Name)
		}
		if slices.Contains(backgroundKinds, w.Kind.String()) {
			out.BackgroundWords = append(out.BackgroundWords, w.Name)
		}
	}
}

// topLevelLines writes an object with one key a line: indented, the lists of
// words would take hundreds.
func topLevelLines(object []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil { // {
		return nil, err
	}
	out := []byte("{")
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "\n  %q: %s", key, value)
	}
	return append(out, "\n}\n"...), nil
}
