package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/groupvit/groupvit/internal/limits"
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
	text, _, err := m.ClassVectors(ctx, names, "")
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
			out[i].Score += float64(x) * float64(text[i][k])
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

// ClassVectors returns the unit vector of each name as [Model.Classify] makes it,
// and what the prompts are called; templates names others ("subset", "full", …).
// There may be thousands of names.
func (m *Model) ClassVectors(ctx context.Context, names []string, templates string) ([][]float32, string, error) {
	if err := limits.Check("number of names", "names", int64(len(names)), limits.Classes, "name fewer"); err != nil {
		return nil, "", err
	}
	for i, n := range names {
		if err := limits.Check("length in bytes", fmt.Sprintf("name %d", i+1), int64(len(n)), limits.LabelBytes, "use a word or a short phrase"); err != nil {
			return nil, "", err
		}
	}
	forms, raw := m.usage.prompts, m.config.IsPaper()
	if raw {
		templates = cmp.Or(templates, "subset")
	}
	if templates != "" {
		var err error
		if forms, err = namedPrompts(templates); err != nil {
			return nil, "", err
		}
	}
	vectors := make([][]float32, 0, len(names))
	for part := range slices.Chunk(names, namesAtOnce) {
		text, err := m.vectors(ctx, part, forms, raw)
		if err != nil {
			return nil, "", err
		}
		vectors = slices.AppendSeq(vectors, slices.Chunk(text, m.config.EmbedWidth))
	}
	return vectors, forms.forms.Name, nil
}

// namesAtOnce are encoded at a time, with all their prompts.
const namesAtOnce = 256
