package groupvit

import (
	"context"
	"fmt"
	"image"
	"math"

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
	if e.protocol == Best {
		return e.segmentBest(ctx, classes, s, width, height)
	}
	scores, threshold, report, err := e.score(ctx, classes, s)
	if err != nil {
		return nil, err
	}
	r, err := scores.Decide(ctx, width, height, threshold, s.Scores)
	if err != nil {
		return nil, err
	}
	out := &Segmentation{Map: r.Map, Scores: r.Scores, Report: report, planes: scores.AsPlanes()}
	out.RareWords = e.model.rare(classes)
	return out, out.describe(ctx, classes, r.Mean)
}

// segmentBest answers under protocol best.
func (e *Encoded) segmentBest(ctx context.Context, classes []vocab.Class, s SegmentOptions, width, height int) (*Segmentation, error) {
	d, err := e.best(ctx, classes, s)
	if err != nil {
		return nil, err
	}
	return e.answer(ctx, classes, s, d, width, height)
}

// answer decides the pixels.
func (e *Encoded) answer(ctx context.Context, classes []vocab.Class, s SegmentOptions, d *decision, width, height int) (*Segmentation, error) {
	pixels, err := d.planes.Pixels(ctx, width, height, false)
	if err != nil {
		return nil, err
	}
	out := &Segmentation{Map: pixels.Map(d.threshold), Threshold: d.threshold, Report: d.report, planes: d.planes}
	if math.IsNaN(d.threshold) {
		out.Map.Labels, out.Threshold = pixels.Best, 0
	}
	if s.Scores {
		if out.Scores, err = d.planes.Scores(ctx, width, height); err != nil {
			return nil, err
		}
	}
	out.RareWords = e.model.rare(classes)
	return out, out.describe(ctx, classes, pixels.Means(out.Map, len(classes)))
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
		t, err := e.model.techniquesOf(&s)
		if err != nil {
			return nil, s, err
		}
		if !t.sameLook(e.techniques) {
			return nil, s, fmt.Errorf("%w: techniques %q, the photo was encoded for %q", ErrOption, t, e.techniques)
		}
		planes = len(classes) + len(e.model.eval.BackgroundWords) + len(e.model.eval.Words.all())
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
