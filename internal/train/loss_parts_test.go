package train

import (
	"errors"
	"strings"
	"testing"
)

// The losses of patches and groups are refused where there is nothing to look at,
// and what their recipe trains with goes into a step.
func TestLossesOfPartsAreChecked(t *testing.T) {
	for change, want := range map[string]string{
		"loss.explain_weight=-1":              "loss.explain_weight: -1",
		"loss.teach_weight=.nan":              "loss.teach_weight: NaN",
		"model.variant.patch_embeddings=":     "set model.variant.patch_embeddings",
		"data.nouns.mode=none":                "needs nouns",
		"model.group_tokens=[0]":              "no groups that could be taught",
		"model.variant.nouns_against=[words]": "nouns_against",
	} {
		key, value, _ := strings.Cut(change, "=")
		overrides := []Override{{key, value, ""}}
		if key == "model.group_tokens" {
			overrides = append(overrides, Override{"model.variant.map", "patches", ""})
		}
		if value == "" {
			overrides = append(overrides, Override{"model.variant.patch_pooled", "false", ""},
				Override{"model.variant.nouns_against", "[pooled]", ""})
		}
		_, err := Load("../../recipes/scenes.yaml", nil, overrides)
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}
