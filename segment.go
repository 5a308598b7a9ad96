package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// query is what is asked about a photo.
type query struct {
	classes []vocab.Class
	QueryOptions
}

// newQuery checks labels and options.
func newQuery(labels []string, o *QueryOptions) (*query, error) {
	classes, err := parseLabels(labels)
	if err != nil {
		return nil, err
	}
	q := &query{classes: classes}
	if o != nil {
		q.QueryOptions = *o
	}
	if !(q.Sharpness >= 0 && q.Sharpness <= maxSharpness) {
		return nil, fmt.Errorf("%w: sharpness %g, allowed are 0 to %d", ErrOption, q.Sharpness, maxSharpness)
	}
	if err := q.MinArea.check(); err != nil {
		return nil, err
	}
	return q, q.Background.check()
}

// Segment labels the regions of a photo that labels name: "dog", or with synonyms
// "dog|puppy". At most 256 labels.
//
// Errors wrap [ErrLabels], [ErrOption], [ErrTooLarge], [ErrModel] or ctx's.
func (m *Model) Segment(ctx context.Context, photo image.Image, labels []string, o *SegmentOptions) (*Segmentation, error) {
	if o == nil {
		o = &SegmentOptions{}
	}
	q, err := newQuery(labels, &o.QueryOptions) // before the photo is encoded
	if err != nil {
		return nil, err
	}
	if err := q.Background.validateFor(cmp.Or(o.Protocol, m.DefaultProtocol())); err != nil {
		return nil, err
	}
	e, err := m.Encode(ctx, photo, &o.EncodeOptions)
	if err != nil {
		return nil, err
	}
	return e.segment(ctx, q)
}

// Segment answers for labels as [Model.Segment] does.
func (e *Encoded) Segment(ctx context.Context, labels []string, o *QueryOptions) (*Segmentation, error) {
	q, err := newQuery(labels, o)
	if err != nil {
		return nil, err
	}
	return e.segment(ctx, q)
}

// Sweep answers for labels once for each of several background thresholds, 0 to
// 1, at little more cost than a single answer: map i is what [Encoded.Segment]
// gives with [BackgroundBelow](thresholds[i]). It is for choosing a threshold on
// photos whose truth is known. o.Background, o.ResultSide and o.Scores do not matter;
// the report names no threshold.
//
// Protocol hf has no background: an [ErrOption].
func (e *Encoded) Sweep(ctx context.Context, labels []string, o *QueryOptions, thresholds []float64) ([]*mask.Map, Report, error) {
	q, err := newQuery(labels, o)
	if err != nil {
		return nil, Report{}, err
	}
	for _, t := range thresholds {
		if err := BackgroundBelow(t).check(); err != nil {
			return nil, Report{}, err
		}
	}
	q.Background = BackgroundBelow(0)
	s, report, err := e.score(ctx, q)
	if err != nil {
		return nil, report, err
	}
	if report.Background == thresholdText(0) {
		report.Background = ""
	}
	maps, err := s.sweep(ctx, thresholds)
	return maps, report, err
}

func (e *Encoded) segment(ctx context.Context, q *query) (*Segmentation, error) {
	s, report, err := e.score(ctx, q)
	if err != nil {
		return nil, err
	}
	return e.answer(ctx, q, s, report)
}

// score checks a query against the photo and lets the protocol score it.
func (e *Encoded) score(ctx context.Context, q *query) (scored, Report, error) {
	report := e.report()
	if err := q.Background.validateFor(e.protocol); err != nil {
		return nil, report, err
	}
	v := e.view()
	n := int64(e.method.planes(e, q.classes)) * int64(v.SeenWidth) * int64(v.SeenHeight)
	if err := limits.Check("number of class scores", "photo", n, limits.Scores, "use fewer labels or a smaller short side"); err != nil {
		return nil, report, err
	}
	s, err := e.method.score(ctx, e, q, &report)
	return s, report, err
}

// answer decides the pixels.
func (e *Encoded) answer(ctx context.Context, q *query, s scored, report Report) (*Segmentation, error) {
	width, height := q.resultSize(e.view().Width, e.view().Height)
	if q.Scores {
		n := int64(len(q.classes)) * int64(width) * int64(height)
		if err := limits.Check("number of class scores", "result", n, limits.Scores, "use fewer labels or a smaller photo"); err != nil {
			return nil, err
		}
	}
	d, err := s.decide(ctx, width, height, q.Scores)
	if err != nil {
		return nil, err
	}
	if least := q.MinArea.of(e.view().Width*e.view().Height, width, height); least > 1 {
		d.pixels = d.pixels.RemoveSmall(least)
	}
	out := &Segmentation{Map: d.pixels, Scores: d.scores, Threshold: d.threshold, Report: report, planes: d.planes}
	if out.RareWords, err = e.model.rare(ctx, q.classes); err != nil {
		return nil, err
	}
	return out, out.describe(ctx, q.classes, d.means)
}

func thresholdText(t float64) string {
	if math.IsNaN(t) {
		return "off"
	}
	return fmt.Sprintf("%g", t)
}
