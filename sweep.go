package groupvit

import (
	"context"
	"fmt"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// Sweep answers for labels once for each of several background thresholds, 0 to
// 1, at little more cost than a single answer: map i is what [Encoded.Segment]
// gives with [BackgroundBelow](thresholds[i]). It is for choosing a threshold on
// photos whose truth is known. o.Background and o.Scores do not matter; the
// report names no threshold.
//
// Protocol hf has no background: an [ErrOption].
func (e *Encoded) Sweep(ctx context.Context, labels []string, o *SegmentOptions, thresholds []float64) ([]*mask.Map, Report, error) {
	classes, s, err := e.question(labels, o)
	if err != nil {
		return nil, Report{}, err
	}
	for _, t := range thresholds {
		if err := BackgroundBelow(t).check(); err != nil {
			return nil, Report{}, err
		}
	}
	s.Background, s.Scores = BackgroundBelow(0), false
	if e.protocol == Best {
		return e.bestSweep(ctx, classes, s, thresholds)
	}
	if e.protocol == TCL {
		return e.tclSweep(ctx, classes, s, thresholds)
	}
	if e.protocol == SCLIP {
		return e.sclipSweep(ctx, classes, s, thresholds)
	}
	if e.protocol == Paper {
		report := e.report()
		var text []float32
		if text, report.Templates, err = e.paperText(ctx, classes, s); err != nil {
			return nil, Report{}, err
		}
		maps, err := assign.PaperSweep(ctx, e.view, text, e.model.config.EmbedWidth, min(e.model.scale, 100), thresholds)
		return maps, report, err
	}
	return nil, Report{}, fmt.Errorf("%w: protocol %s has no background and so no threshold: use paper, tcl, sclip or best", ErrOption, e.protocol)
}

// bestSweep decides once for all thresholds.
func (e *Encoded) bestSweep(ctx context.Context, classes []vocab.Class, s SegmentOptions, thresholds []float64) ([]*mask.Map, Report, error) {
	s.Background = BackgroundBelow(0)
	d, err := e.best(ctx, classes, s)
	if err != nil {
		return nil, Report{}, err
	}
	pixels, err := d.planes.Pixels(ctx, e.view.Width, e.view.Height, false)
	if err != nil {
		return nil, d.report, err
	}
	maps := make([]*mask.Map, len(thresholds))
	for i, threshold := range thresholds {
		maps[i] = pixels.Map(threshold)
	}
	return maps, d.report, nil
}
