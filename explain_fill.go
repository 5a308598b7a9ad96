package groupvit

import (
	"context"
	"image"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// explainStages encodes the photo in one pass, as [Model.Groups] does.
func (m *Model) explainStages(ctx context.Context, photo image.Image, s *bestScores, classes []vocab.Class) ([]ExplainedStage, error) {
	view, err := m.encodeWhole(ctx, photo)
	if err != nil {
		return nil, err
	}
	names := s.planeNames(classes)
	var stages []ExplainedStage
	for stage := range m.config.StageGroups() {
		g, err := assign.GroupMap(ctx, view, stage)
		if err != nil {
			return nil, err
		}
		scores, err := assign.StageScores(view, stage, s.words)
		if err != nil {
			return nil, err
		}
		stages = append(stages, explainedStage(g, names, func(id int) []float32 { return scores[id-1] }))
	}
	return stages, nil
}

// planeNames are the words of the evidence's planes: the labels', then background words.
func (s *bestScores) planeNames(classes []vocab.Class) []WordScore {
	var names []WordScore
	for i, c := range classes {
		names = append(names, WordScore{Word: c.Name, Label: i + 1})
	}
	for row, owner := range s.words.Owner {
		if owner == 0 {
			names = append(names, WordScore{Word: s.names[row]})
		}
	}
	return names
}

// wordsOfPart is how many words of a part are reported.
const wordsOfPart = 3

// explainedStage orders the parts of a map; scores are a part's, by plane.
func explainedStage(m *mask.Map, names []WordScore, scores func(id int) []float32) ExplainedStage {
	stage := ExplainedStage{Map: m}
	for _, st := range m.Stats(int(m.Max())) {
		if st.Label == 0 || st.Pixels == 0 {
			continue
		}
		part := ExplainedPart{ID: int(st.Label), Area: st.Area, Words: slices.Clone(names)}
		for p, v := range scores(part.ID) {
			part.Words[p].Score = float64(v)
		}
		slices.SortStableFunc(part.Words, func(a, b WordScore) int { return descending(a.Score, b.Score) })
		part.Words = part.Words[:min(wordsOfPart, len(part.Words))]
		stage.Parts = append(stage.Parts, part)
	}
	slices.SortStableFunc(stage.Parts, func(a, b ExplainedPart) int { return descending(a.Area, b.Area) })
	return stage
}

func descending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// fill adds what the decision itself says.
func (x *Explanation) fill(s *bestScores, classes []vocab.Class) {
	names, e := s.planeNames(classes), s.evidence
	winners := e.Winners()
	x.Places = explainedStage(enlarge(winners, e.Width, e.Height, x.Segmentation.Map), names, func(id int) []float32 {
		return meansWhere(e, winners, id)
	})
	x.why(s)
	leads := shrink(x.Confidence.Likely, e.Width, e.Height)
	for i, c := range classes {
		l := ExplainedLabel{Label: c.Name, Probability: s.planes.Labels[i], Width: s.planes.Width, Height: s.planes.Height}
		for row, owner := range s.words.Owner {
			if int(owner) == i+1 {
				l.Words = append(l.Words, s.names[row])
			}
		}
		l.Area, l.Leads = shareOf(x.Segmentation.Map, i+1), shareOf(x.Confidence.Likely, i+1)
		l.Least, l.Most = float64(slices.Min(l.Probability)), float64(slices.Max(l.Probability))
		l.Rivals = rivals(e, names, leads, i+1)
		x.Labels = append(x.Labels, l)
	}
}

// why finds the rule of every pixel.
func (x *Explanation) why(s *bestScores) {
	e, m, c := s.evidence, x.Segmentation.Map, x.Confidence
	winners := enlarge(e.Winners(), e.Width, e.Height, m)
	x.Why = &mask.Map{Width: m.Width, Height: m.Height, Labels: make([]uint16, len(m.Labels))}
	counts := make([]int, len(ruleNames))
	for i, l := range m.Labels {
		rule := ruleThreshold
		switch {
		case l > 0:
			rule = ruleLabel
		case c.Value[i] < 0:
			rule = ruleBackgroundWord
		case c.Value[i] == 0:
			rule = ruleDropped
		case int(winners.Labels[i]) > e.Labels:
			rule = ruleThresholdBackgroundWord
		}
		counts[rule]++
		x.Why.Labels[i] = uint16(rule + 1)
	}
	for rule, name := range ruleNames {
		x.Rules = append(x.Rules, ExplainedRule{name, float64(counts[rule]) / float64(len(m.Labels))})
	}
}

// rivals counts, where a label leads, which other word fits best.
func rivals(e *assign.Evidence, names []WordScore, leads []uint16, label int) []Rival {
	first := e.Rivals(label)
	anywhere := !slices.Contains(leads, uint16(label))
	counts, ahead, total := make([]float64, len(names)), make([]float64, len(names)), 0.0
	for i, r := range first {
		if r == 0 || !anywhere && int(leads[i]) != label {
			continue
		}
		total++
		counts[r-1]++
		if e.Planes[r-1][i] > e.Planes[label-1][i] {
			ahead[r-1]++
		}
	}
	list := []Rival{}
	for p, n := range counts {
		if n > 0 {
			list = append(list, Rival{names[p].Word, names[p].Label, n / total, ahead[p] / total})
		}
	}
	slices.SortStableFunc(list, func(a, b Rival) int { return descending(a.Share, b.Share) })
	return list[:min(4, len(list))]
}

// meansWhere are the planes' means over the places that a plane wins.
func meansWhere(e *assign.Evidence, winners []uint16, id int) []float32 {
	sums, n := make([]float64, len(e.Planes)), 0
	for i, w := range winners {
		if int(w) == id {
			n++
			for p := range sums {
				sums[p] += float64(e.Planes[p][i])
			}
		}
	}
	out := make([]float32, len(sums))
	for p, s := range sums {
		out[p] = float32(s / float64(max(n, 1)))
	}
	return out
}

// enlarge gives each pixel of a map's size the value of the place under its middle.
func enlarge(values []uint16, width, height int, like *mask.Map) *mask.Map {
	m := &mask.Map{Width: like.Width, Height: like.Height, Labels: make([]uint16, 0, len(like.Labels))}
	for y := range m.Height {
		row := values[(2*y+1)*height/(2*m.Height)*width:]
		for x := range m.Width {
			m.Labels = append(m.Labels, row[(2*x+1)*width/(2*m.Width)])
		}
	}
	return m
}

// shrink reads a map at the middles of width × height places.
func shrink(m *mask.Map, width, height int) []uint16 {
	out := make([]uint16, 0, width*height)
	for y := range height {
		for x := range width {
			out = append(out, m.At((2*x+1)*m.Width/(2*width), (2*y+1)*m.Height/(2*height)))
		}
	}
	return out
}

func shareOf(m *mask.Map, label int) float64 {
	n := 0
	for _, l := range m.Labels {
		if int(l) == label {
			n++
		}
	}
	return float64(n) / float64(len(m.Labels))
}
