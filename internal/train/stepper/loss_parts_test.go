package stepper

import (
	"errors"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/train/settings"
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
		overrides := []settings.Override{{Key: key, Value: value}}
		if key == "model.group_tokens" {
			overrides = append(overrides, settings.Override{Key: "model.variant.map", Value: "patches"})
		}
		if value == "" {
			overrides = append(overrides, settings.Override{Key: "model.variant.patch_pooled", Value: "false"},
				settings.Override{Key: "model.variant.nouns_against", Value: "[pooled]"})
		}
		_, err := settings.Load("../../../recipes/scenes.yaml", nil, overrides)
		if !errors.Is(err, settings.ErrSettings) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}
