package groupvit

import (
	"context"
	"fmt"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/limits"
)

// EmbedTexts is [Model.EmbedText] for many texts, which share passes through the
// text tower. An error names the text's number, from 1.
func (m *Model) EmbedTexts(ctx context.Context, texts []string) ([][]float32, error) {
	for i, t := range texts {
		if err := limits.Check("length in bytes", fmt.Sprintf("text %d", i+1), int64(len(t)), limits.CaptionBytes, "shorten it"); err != nil {
			return nil, err
		}
	}
	shared, err := m.encodeTexts(ctx, texts)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(shared))
	for i, v := range shared {
		out[i] = append([]float32(nil), v...)
		assign.Normalize(out[i], len(v))
	}
	return out, nil
}
