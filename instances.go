package groupvit

import (
	"context"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// Instances are the connected parts of the labels of an answer: what comes closest to
// objects where a model knows kinds alone. Two objects of one label that touch are one
// part, and one object behind a pole is two.
type Instances struct {
	// Map has the number of its part for each pixel: k is List[k-1], 0 background.
	Map *mask.Map
	// List is in the order of the parts' labels, then of their first pixels.
	List []Instance
}

// Instance is a 4-connected part of a label.
type Instance struct {
	// ID is its value in [Instances.Map], from 1.
	ID int `json:"id"`
	// LabelID is the label's value in the map of the answer, Label its name.
	LabelID int    `json:"label_id"`
	Label   string `json:"label"`
	// Pixels is their number, Area their share of the photo, 0 to 1.
	Pixels int     `json:"pixels"`
	Area   float64 `json:"area"`
	// Box is [x0, y0, x1, y1], x1 and y1 one beyond the last pixel.
	Box [4]int `json:"box"`
	// Score is the mean of [Confidence.Value] over its pixels, those where a background
	// word is more probable as 0.
	Score float64 `json:"score"`
}

// Instances finds them. It asks the model nothing. Errors wrap [ErrTooLarge] where there
// are more than 10,000: [QueryOptions.MinArea] leaves out the small ones.
func (s *Segmentation) Instances(ctx context.Context) (*Instances, error) {
	parts, numbers := s.Map.Components()
	counts := make([]int, len(s.Labels)+1)
	n := 0
	for _, p := range parts {
		if l := int(p.Label); l > 0 && l < len(counts) {
			counts[l]++
			n++
		}
	}
	if err := limits.Check("number of connected parts", "instances", int64(n), limits.Instances, "leave out the small ones with a smallest area (min-area)"); err != nil {
		return nil, err
	}
	next := make([]int, len(counts)) // by label, the ID of its next part
	for l := 1; l < len(counts); l++ {
		next[l] = next[l-1] + counts[l-1]
	}
	out := &Instances{Map: &mask.Map{Width: s.Map.Width, Height: s.Map.Height, Labels: make([]uint16, len(s.Map.Labels))}, List: make([]Instance, n)}
	ids := make([]uint16, len(parts))
	for i, p := range parts {
		l := int(p.Label)
		if l == 0 || l >= len(counts) {
			continue
		}
		next[l]++
		ids[i] = uint16(next[l])
		out.List[next[l]-1] = Instance{
			ID: next[l], LabelID: l, Label: s.Labels[l-1], Pixels: p.Pixels, Area: float64(p.Pixels) / float64(len(s.Map.Labels)),
			Box: [4]int{p.Box.Min.X, p.Box.Min.Y, p.Box.Max.X, p.Box.Max.Y},
		}
	}
	sure, err := s.Confidence(ctx)
	if err != nil {
		return nil, err
	}
	sums := make([]float64, n)
	for at, part := range numbers {
		if id := ids[part]; id > 0 {
			out.Map.Labels[at] = id
			sums[id-1] += float64(max(sure.Value[at], 0))
		}
	}
	for i := range out.List {
		out.List[i].Score = sums[i] / float64(out.List[i].Pixels)
	}
	return out, nil
}
