package groupvit

import (
	"context"
	"image"
	"slices"
)

// Classification is one class's score.
type Classification struct {
	Label string `json:"label"`
	// Score is the cosine of photo and class, −1 to 1.
	Score float64 `json:"score"`
}

// Classify scores labels for a whole photo, best first: cosine of the photo's
// vector and the class's. For the paper's network that is the mean over seven
// prompts of projected vectors, normalised afterwards (paper, zero-shot
// classification); other models use their own prompts, as protocol best does.
func (m *Model) Classify(ctx context.Context, photo image.Image, labels []string) ([]Classification, error) {
	classes, err := parseLabels(labels)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.Name
	}
	forms, raw := m.eval.prompts(), false
	if m.DefaultProtocol() == Paper {
		raw = true
		if forms, err = namedPrompts("subset"); err != nil {
			return nil, err
		}
	}
	text, err := m.classVectors(ctx, names, forms, raw)
	if err != nil {
		return nil, err
	}
	v, err := m.EmbedImage(ctx, photo)
	if err != nil {
		return nil, err
	}
	out := make([]Classification, len(names))
	for i := range names {
		out[i].Label = names[i]
		for k, x := range v {
			out[i].Score += float64(x) * float64(text[i*len(v)+k])
		}
	}
	slices.SortStableFunc(out, func(a, b Classification) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return out, nil
}
