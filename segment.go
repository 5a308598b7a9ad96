package groupvit

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Segment cuts a photo into regions named by labels: "dog", or with synonyms
// "dog|puppy". At most 256 labels.
//
// Errors wrap [ErrLabels], [ErrOption], [ErrTooLarge], [ErrModel] or ctx's.
func (m *Model) Segment(ctx context.Context, photo image.Image, labels []string, o *SegmentOptions) (*Segmentation, error) {
	if _, err := parseLabels(labels); err != nil { // before the photo is looked at
		return nil, err
	}
	e, err := m.Encode(ctx, photo, o)
	if err != nil {
		return nil, err
	}
	return e.Segment(ctx, labels, o)
}

// Segment answers for labels. The protocol and size of o, where given, must be
// those the photo was encoded with.
func (e *Encoded) Segment(ctx context.Context, labels []string, o *SegmentOptions) (*Segmentation, error) {
	classes, s, err := e.question(labels, o)
	if err != nil {
		return nil, err
	}
	width, height := s.resultSize(e.view.Width, e.view.Height)
	if s.Scores {
		n := int64(len(classes)) * int64(width) * int64(height)
		if err := limits.Check("number of class scores", "result", n, limits.Scores, "ask for fewer labels or use a smaller photo"); err != nil {
			return nil, err
		}
	}
	scores, threshold, report, err := e.score(ctx, classes, s)
	if err != nil {
		return nil, err
	}
	r, err := scores.Decide(ctx, width, height, threshold, s.Scores)
	if err != nil {
		return nil, err
	}
	out := &Segmentation{Map: r.Map, Scores: r.Scores, Report: report, Segments: []Segment{}}
	for _, c := range classes {
		out.Labels = append(out.Labels, c.Name)
	}
	for _, st := range r.Map.Stats(len(classes)) {
		if st.Label == 0 || st.Pixels == 0 {
			continue
		}
		out.Segments = append(out.Segments, Segment{
			ID: int(st.Label), Label: classes[st.Label-1].Name, Pixels: st.Pixels, Area: st.Area,
			Box: [4]int{st.Box.Min.X, st.Box.Min.Y, st.Box.Max.X, st.Box.Max.Y}, Score: r.Mean[st.Label-1],
		})
	}
	return out, nil
}

// question checks labels and options against how the photo was encoded.
func (e *Encoded) question(labels []string, o *SegmentOptions) ([]vocab.Class, SegmentOptions, error) {
	var s SegmentOptions
	classes, err := parseLabels(labels)
	if err != nil {
		return nil, s, err
	}
	if o != nil {
		s = *o
	}
	if s.Protocol != "" && s.Protocol != e.protocol {
		return nil, s, fmt.Errorf("%w: protocol %q, the photo was encoded for %q", ErrOption, s.Protocol, e.protocol)
	}
	if s.ShortSide != 0 && s.ShortSide != e.rule.ShortSide {
		return nil, s, fmt.Errorf("%w: short side %d, the photo was encoded at %d", ErrOption, s.ShortSide, e.rule.ShortSide)
	}
	if s.Benchmark != "" && s.Benchmark != e.benchmark {
		return nil, s, fmt.Errorf("%w: benchmark %q, the photo was encoded for %q", ErrOption, s.Benchmark, e.benchmark)
	}
	planes := len(classes) + 1
	switch e.protocol {
	case Best:
		planes = len(classes) + len(e.model.eval.BackgroundWords)
	case SCLIP:
		planes = countNames(classes) + len(sclipFor(e.benchmark).background)
	}
	n := int64(planes) * int64(e.view.SeenWidth) * int64(e.view.SeenHeight)
	if err := limits.Check("number of class scores", "photo", n, limits.Scores, "ask for fewer labels or look at it smaller (short side)"); err != nil {
		return nil, s, err
	}
	return classes, s, s.Background.fits(e.protocol)
}

// score makes the class scores and says which threshold the decision takes.
func (e *Encoded) score(ctx context.Context, classes []vocab.Class, s SegmentOptions) (*assign.Scores, float64, Report, error) {
	m, v, report := e.model, e.view, e.report()
	switch e.protocol {
	case TCL:
		return e.tcl(ctx, classes, s, report)
	case SCLIP:
		return e.sclip(ctx, classes, s, report)
	case Best:
		forms, err := e.prompts(s.Templates)
		if err != nil {
			return nil, 0, report, err
		}
		report.Templates = forms.forms.name
		scores, threshold, err := e.best(ctx, classes, forms, s.Background, &report)
		return scores, threshold, report, err
	}
	text, templates, err := e.paperText(ctx, classes, s)
	if err != nil {
		return nil, 0, report, err
	}
	report.Templates = templates
	p := m.config.EmbedWidth
	if e.protocol == Port {
		report.Background = "off"
		scores, err := assign.Port(ctx, v, text, p, m.scale)
		return scores, 0, report, err
	}
	threshold := s.Background.resolve(paperThresholdFor(e.benchmark))
	report.Background = thresholdText(threshold)
	scores, err := assign.Paper(ctx, v, text, p, min(m.scale, 100), threshold)
	return scores, 0, report, err
}

// paperText returns the unit vectors [C, P] of the labels' names as the paper
// and the port make them, and the name of the templates.
func (e *Encoded) paperText(ctx context.Context, classes []vocab.Class, s SegmentOptions) ([]float32, string, error) {
	forms, err := e.prompts(s.Templates)
	if err != nil {
		return nil, "", err
	}
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.Name // the paper knows no synonyms
	}
	text, err := e.model.classVectors(ctx, names, forms, false)
	return text, forms.forms.name, err
}

// prompts are those of the option, else the protocol's.
func (e *Encoded) prompts(option string) (prompts, error) {
	switch {
	case option == "" && e.protocol == Best:
		return e.model.eval.prompts(), nil
	case option == "" && e.protocol == TCL:
		option = "tcl"
	case option == "" && e.protocol == SCLIP:
		option = "full"
	case option == "":
		option = "simple"
	}
	p, err := namedPrompts(option)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrOption, err)
	}
	return p, nil
}

func thresholdText(t float64) string {
	if math.IsNaN(t) {
		return "off"
	}
	return fmt.Sprintf("%g", t)
}

// best scores by cosines, background words acting by the model's rule unless
// background is off.
func (e *Encoded) best(ctx context.Context, classes []vocab.Class, forms prompts, b Background, report *Report) (*assign.Scores, float64, error) {
	m := e.model
	words := assign.Words{Labels: len(classes), Width: m.config.EmbedWidth}
	var names []string
	for i, own := range m.eval.Words.names(classes) {
		for _, n := range own {
			names, words.Owner = append(names, n), append(words.Owner, uint16(i+1))
		}
	}
	threshold := b.resolve(m.eval.Threshold)
	report.Background = "off"
	if !math.IsNaN(threshold) {
		asked := []vocab.Class{{Synonyms: slices.Clone(names)}}
		for _, w := range vocab.WithoutLabels(vocab.WithoutLabels(m.eval.BackgroundWords, classes), asked) {
			names, words.Owner = append(names, w), append(words.Owner, 0)
		}
		report.Background = byWords
		if m.eval.BackgroundRule == byProbability {
			report.Background = byProbability
		}
		if threshold > 0 {
			report.Background += fmt.Sprintf(", %g", threshold)
		}
	}
	var err error
	if words.Vectors, err = m.classVectors(ctx, names, forms, false); err != nil {
		return nil, 0, err
	}
	scores, err := assign.Best(ctx, e.view, words, m.source())
	if err != nil {
		return nil, 0, fmt.Errorf("%w %s: %w", ErrModel, m.name, err)
	}
	scores.Sharpness, scores.Silent = min(m.scale, 100), m.eval.BackgroundRule == byProbability
	return scores, threshold, nil
}
