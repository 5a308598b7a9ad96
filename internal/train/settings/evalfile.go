package settings

import (
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

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
	if err := e.file().Check(c.PatchSize); err != nil {
		return err
	}
	for _, kind := range e.BackgroundKinds {
		if _, err := nouns.ParseKind(kind); err != nil {
			return fmt.Errorf("background_kinds: %w", err)
		}
	}
	return nil
}

// file is the eval.json without words and prompts.
func (e Evaluate) file() modelfile.Eval {
	return modelfile.Eval{ShortSide: e.ShortSide, Squash: e.Squash, Window: e.Window, Stride: e.Stride, Threshold: e.BackgroundThreshold, BackgroundRule: e.BackgroundRule}
}

// EvalFile is the model's eval.json; nil where there is nothing to say, as for
// the published recipes: their model is used as the paper does.
func (s Settings) EvalFile() ([]byte, error) {
	out := s.Evaluate.file()
	if s.Data.Nouns.Mode == pairs.NounsList {
		o, err := s.LoaderOptions()
		if err != nil {
			return nil, err
		}
		words := o.Nouns.Words
		if words == nil {
			words = nouns.Builtin()
		}
		out.Templates, out.StuffTemplates = modelfile.ListTemplates(o.Nouns.Templates), modelfile.ListTemplates(o.Nouns.StuffTemplates)
		addList(&out, words, s.Evaluate.BackgroundKinds)
	}
	return out.Encode()
}

// addList adds the words that the model learns to find.
func addList(out *modelfile.Eval, words []nouns.Word, backgroundKinds []string) {
	for _, w := range words {
		out.Words = append(out.Words, append([]string{w.Name}, w.Synonyms...))
		if w.Kind == nouns.Stuff && !out.StuffTemplates.IsZero() {
			out.StuffWords = append(out.StuffWords, w.Name)
		}
		if slices.Contains(backgroundKinds, w.Kind.String()) {
			out.BackgroundWords = append(out.BackgroundWords, w.Name)
		}
	}
}
