package groupvit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// prompts says which texts stand for a name.
type prompts struct {
	// forms are templates for any name.
	forms templateList
	// stuffForms, if there are any, are those for the names in stuff: "the
	// grass", where a thing is "a ball".
	stuffForms templateList
	stuff      []string
}

// namedPrompts are one set of templates for every name.
func namedPrompts(set string) (prompts, error) {
	forms, err := vocab.Templates(set)
	return prompts{forms: templateList{name: set, forms: forms}}, err
}

// of returns a name's texts.
func (p prompts) of(name string) []string {
	isStuff := func(w string) bool { return strings.EqualFold(w, name) }
	if len(p.stuffForms.forms) > 0 && slices.ContainsFunc(p.stuff, isStuff) {
		return vocab.FillAll(p.stuffForms.forms, name)
	}
	return vocab.FillAll(p.forms.forms, name)
}

// templateList is a list of templates; in JSON the name of a set, or the
// templates themselves.
type templateList struct {
	// name is what reports say: the set's, or the templates in a line.
	name  string
	forms []string
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *templateList) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &t.name) == nil {
		var err error
		t.forms, err = vocab.Templates(t.name)
		return err
	}
	if err := json.Unmarshal(b, &t.forms); err != nil {
		return fmt.Errorf("templates are the name of a set or a list: %w", err)
	}
	if len(t.forms) == 0 || len(t.forms) > limits.Templates {
		return fmt.Errorf("%d templates, allowed are 1 to %d", len(t.forms), limits.Templates)
	}
	for _, f := range t.forms {
		if err := vocab.CheckTemplate(f); err != nil {
			return err
		}
	}
	t.name = strings.Join(t.forms, "; ")
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
