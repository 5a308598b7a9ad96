package modelfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// EvalName is the file that holds an [Eval].
const EvalName = "eval.json"

// The background rules of an [Eval].
const (
	// ByWords lets the best word of the background vocabulary take a pixel.
	ByWords = "words"
	// ByProbability lets those words only lower the labels' probability, which is
	// compared with the threshold.
	ByProbability = "probability"
)

// Eval says how a model is best used. The zero value says nothing: the reader's
// defaults hold.
type Eval struct {
	// ShortSide is what a photo's short side becomes, in pixels, and LongSide the most
	// its long side may become; 0 is the reader's choice. Squash makes the photo a
	// square of ShortSide.
	ShortSide int  `json:"short_side,omitempty"`
	LongSide  int  `json:"long_side,omitempty"`
	Squash    bool `json:"squash,omitempty"`
	// Window and Stride are the side and the step of the sliding window; a Window of
	// 0 is the whole photo in one pass.
	Window int `json:"window,omitempty"`
	Stride int `json:"stride,omitempty"`
	// Threshold, if positive, makes background of pixels whose best label is less
	// probable than this, 0 to 1.
	Threshold float64 `json:"background_threshold,omitempty"`
	// BackgroundRule is [ByWords] (the default) or [ByProbability].
	BackgroundRule string `json:"background_rule,omitempty"`
	// Templates are the prompts that the model was trained with. StuffTemplates, if
	// any, are those of the words in StuffWords: "the grass", where a thing is "a ball".
	Templates      Templates `json:"templates,omitzero"`
	StuffTemplates Templates `json:"stuff_templates,omitzero"`
	StuffWords     []string  `json:"stuff_words,omitempty"`
	// BackgroundWords are the background vocabulary: words of ground and scenery that
	// compete with labels and name nothing.
	BackgroundWords []string `json:"background_words,omitempty"`
	// Words are those that the model was trained to find, if it learnt from a list:
	// each is a word and its synonyms.
	Words [][]string `json:"words,omitempty"`
}

// ReadEval reads an eval.json; [Eval.Check] judges its values.
func ReadEval(b []byte) (Eval, error) {
	var e Eval
	if err := strict(b, &e); err != nil {
		return e, fmt.Errorf("%s: %w", EvalName, err)
	}
	return e, nil
}

// Check refuses values out of range, for a model with patches of so many pixels.
func (e Eval) Check(patch int) error {
	sizes := []struct {
		key       string
		value     int
		low, high int
	}{
		{"short_side", e.ShortSide, patch, limits.SeenSide}, {"long_side", e.LongSide, 0, 8 * limits.SeenSide},
		{"window", e.Window, patch, limits.SeenSide}, {"stride", e.Stride, 0, limits.SeenSide},
	}
	for _, s := range sizes {
		if s.value != 0 && (s.value < s.low || s.value > s.high) {
			return fmt.Errorf("%s is %d, allowed are 0 and %d to %d", s.key, s.value, s.low, s.high)
		}
	}
	if e.ShortSide == 0 && (e.Squash || e.Window != 0) {
		return fmt.Errorf("squash and window need short_side")
	}
	return e.checkBackground()
}

func (e Eval) checkBackground() error {
	switch r := e.BackgroundRule; {
	case r != "" && r != ByWords && r != ByProbability:
		return fmt.Errorf("background_rule is %q, allowed are %s and %s", r, ByWords, ByProbability)
	case !(e.Threshold >= 0 && e.Threshold <= 1):
		return fmt.Errorf("background_threshold is %g, allowed are 0 to 1", e.Threshold)
	case r == ByProbability && e.Threshold == 0:
		return fmt.Errorf("background_rule %s needs a background_threshold above 0", ByProbability)
	}
	if err := checkWords("stuff_words", e.StuffWords); err != nil {
		return err
	}
	if err := checkWords("background_words", e.BackgroundWords); err != nil {
		return err
	}
	return e.checkTrained()
}

// maxTrainedWords bounds the list of trained words, and a word's synonyms.
const maxTrainedWords = 1024

func (e Eval) checkTrained() error {
	if err := limits.Check("number of words", "words", int64(len(e.Words)), maxTrainedWords, "name fewer"); err != nil {
		return err
	}
	for _, names := range e.Words {
		if len(names) == 0 || len(names) > maxTrainedWords {
			return fmt.Errorf("words: a word with %d names, allowed are 1 to %d", len(names), maxTrainedWords)
		}
		for _, name := range names {
			if len(name) > limits.LabelBytes {
				return fmt.Errorf("words: %.40q… is longer than %d bytes", name, limits.LabelBytes)
			}
		}
	}
	return nil
}

// checkWords refuses words that could not be labels.
func checkWords(key string, words []string) error {
	if err := limits.Check("number of words", key, int64(len(words)), limits.Labels, "name fewer"); err != nil {
		return err
	}
	for _, w := range words {
		if strings.TrimSpace(w) == "" || len(w) > limits.LabelBytes {
			return fmt.Errorf("%s: word %.40q is empty or longer than %d bytes", key, w, limits.LabelBytes)
		}
	}
	return nil
}

// Encode returns the file, one key a line; nil for an Eval that says nothing.
func (e Eval) Encode() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil || string(b) == "{}" {
		return nil, err
	}
	return topLevelLines(b)
}

// topLevelLines writes an object with one key a line: indented, the lists of words
// would take hundreds.
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

// Templates is a list of templates; in JSON the name of a set, or the templates
// themselves.
type Templates struct {
	// Name is what reports say: the set's, or the templates in a line.
	Name  string
	Forms []string
}

// NamedTemplates is one of the sets of [vocab.Templates].
func NamedTemplates(set string) (Templates, error) {
	forms, err := vocab.Templates(set)
	return Templates{Name: set, Forms: forms}, err
}

// ListTemplates is a list that has no name.
func ListTemplates(forms []string) Templates {
	return Templates{Name: strings.Join(forms, "; "), Forms: forms}
}

// IsZero reports whether there are none.
func (t Templates) IsZero() bool { return len(t.Forms) == 0 }

// MarshalJSON implements json.Marshaler: it writes the list.
func (t Templates) MarshalJSON() ([]byte, error) { return json.Marshal(t.Forms) }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Templates) UnmarshalJSON(b []byte) error {
	var set string
	if json.Unmarshal(b, &set) == nil {
		var err error
		*t, err = NamedTemplates(set)
		return err
	}
	var forms []string
	if err := json.Unmarshal(b, &forms); err != nil {
		return fmt.Errorf("templates are the name of a set or a list: %w", err)
	}
	if len(forms) == 0 || len(forms) > limits.Templates {
		return fmt.Errorf("%d templates, allowed are 1 to %d", len(forms), limits.Templates)
	}
	for _, f := range forms {
		if err := vocab.CheckTemplate(f); err != nil {
			return err
		}
	}
	*t = ListTemplates(forms)
	return nil
}
