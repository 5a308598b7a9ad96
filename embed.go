package groupvit

import (
	"context"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/limits"
)

// EmbedText returns the text's unit vector in the space shared with images. A
// text longer than the model's context is cut.
func (m *Model) EmbedText(ctx context.Context, text string) ([]float32, error) {
	if err := limits.Check("length in bytes", "text", int64(len(text)), limits.CaptionBytes, "shorten it"); err != nil {
		return nil, err
	}
	vectors, err := m.EmbedTexts(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}

// EmbedTexts is [Model.EmbedText] for many texts, which share passes through the
// text tower. An error names the text's number, from 1.
func (m *Model) EmbedTexts(ctx context.Context, texts []string) ([][]float32, error) {
	for i, t := range texts {
		if err := limits.Check("length in bytes", fmt.Sprintf("text %d", i+1), int64(len(t)), limits.CaptionBytes, "shorten it"); err != nil {
			return nil, err
		}
	}
	shared, err := m.towers.Texts(ctx, texts)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(shared))
	for i, v := range shared {
		out[i] = slices.Clone(v)
		assign.Normalize(out[i], len(v))
	}
	return out, nil
}
