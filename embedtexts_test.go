package groupvit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
)

func TestEmbedTextsAnswersAsEmbedText(t *testing.T) {
	m, other := openModel(t, paperConfig()), openModel(t, paperConfig())
	var texts []string
	for n := range 70 { // more than two passes, with repeats
		texts = append(texts, fmt.Sprintf("a photo of %d dogs", n%40))
	}
	got, err := m.EmbedTexts(t.Context(), texts)
	if err != nil || len(got) != len(texts) {
		t.Fatal(len(got), err)
	}
	for i, text := range texts {
		want, err := other.EmbedText(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[i], want) {
			t.Errorf("text %d: EmbedTexts and EmbedText disagree", i)
		}
	}
	got[0][0] = 7 // the caller's own
	again, err := m.EmbedTexts(t.Context(), texts[:1])
	if err != nil || again[0][0] == 7 {
		t.Error("a change of the result reaches the model", err)
	}
	if none, err := m.EmbedTexts(t.Context(), nil); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
	if _, err := m.EmbedTexts(t.Context(), []string{"a", strings.Repeat("x", 1<<20)}); !errors.Is(err, groupvit.ErrTooLarge) || !strings.Contains(err.Error(), "text 2") {
		t.Error(err)
	}
}
