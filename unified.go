package groupvit

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// The evaluations of TCL and SCLIP fix everything around a network, but not the
// network: what follows takes their sizes, windows, prompts and background, and
// this network's cosines of groups or patches.

// Benchmarks returns the names that [SegmentOptions].Benchmark takes.
func Benchmarks() []string {
	return []string{"voc21", "voc20", "context60", "context59", "coco-object", "coco-stuff", "ade20k", "cityscapes"}
}

func checkBenchmark(name string) error {
	if name == "" || slices.Contains(Benchmarks(), name) {
		return nil
	}
	return fmt.Errorf("%w: benchmark %q, there are %s", ErrOption, name, strings.Join(Benchmarks(), ", "))
}

// paperThresholdFor is the background threshold of the paper's code: each of its
// datasets has one.
func paperThresholdFor(benchmark string) float64 {
	if benchmark == "context60" {
		return 0.35
	}
	return 0.95 // VOC, COCO-Object, and where a dataset has none
}

// tclBackground is the constant score of background without post-processing.
const tclBackground = 0.5

// reading is the protocol as whose code a photo is read and resized: TCL and
// SCLIP read with mmcv, as the paper's does.
func (p Protocol) reading() Protocol {
	if p == TCL || p == SCLIP {
		return Paper
	}
	return p
}

// source says from where the model's map of words is read.
func (m *Model) source() assign.Source {
	switch m.config.Map() {
	case network.MapPatches:
		return assign.FromPatches
	case network.MapBoth:
		return assign.FromBoth
	}
	return assign.FromGroups
}

// published is the rule of the protocol for a model trained at so many pixels.
func (e *Encoded) published(size int) assign.Rule {
	if e.protocol == SCLIP {
		return sclipFor(e.benchmark).rule(size)
	}
	return assign.PaperRule(size)
}

// tcl scores by the rules of TCL: the mean over a name's prompts is taken before
// vectors are made unit.
func (e *Encoded) tcl(ctx context.Context, classes []vocab.Class, s SegmentOptions, report Report) (*assign.Scores, float64, Report, error) {
	forms, err := e.prompts(s.Templates)
	if err != nil {
		return nil, 0, report, err
	}
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.Name // TCL knows no synonyms
	}
	text, err := e.model.classVectors(ctx, names, forms, true)
	if err != nil {
		return nil, 0, report, err
	}
	background := s.Background.resolve(tclBackground)
	report.Templates, report.Background = forms.forms.name, thresholdText(background)
	scores, err := assign.TCL(ctx, e.view, text, e.model.config.EmbedWidth, e.model.source(), background)
	return scores, 0, report, err
}

func (e *Encoded) tclSweep(ctx context.Context, classes []vocab.Class, s SegmentOptions, thresholds []float64) ([]*mask.Map, Report, error) {
	s.Background = NoBackground()
	scores, _, report, err := e.tcl(ctx, classes, s, e.report())
	if err != nil {
		return nil, report, err
	}
	maps, err := scores.ConstantSweep(ctx, e.view.Width, e.view.Height, thresholds)
	return maps, report, err
}

// sclipSettings are what SCLIP's evaluation fixes by benchmark.
type sclipSettings struct {
	scale float64
	// side is the photo's short side for a network trained at 224 pixels.
	side            int
	threshold, area float64
	// background are the words for background; none: every pixel gets a label.
	background []string
}

// sclipFor returns the settings of a benchmark; of any other photo, those of
// COCO-Object, whose words are the most general.
func sclipFor(benchmark string) sclipSettings {
	words := vocab.BackgroundWords()
	switch benchmark {
	case "voc21":
		return sclipSettings{scale: 65, side: 336, threshold: 0.1, area: 0.1, background: words}
	case "context60":
		return sclipSettings{scale: 50, side: 336, threshold: 0.1, background: []string{vocab.Background}}
	case "voc20", "context59", "ade20k":
		return sclipSettings{scale: 40, side: 336}
	case "coco-stuff":
		return sclipSettings{scale: 40, side: 448}
	case "cityscapes":
		return sclipSettings{scale: 40, side: 560}
	}
	return sclipSettings{scale: 50, side: 336, threshold: 0.1, background: words}
}

// rule is the size at which a photo is looked at: windows of the training size,
// half a window apart, on a photo of one and a half times that or more.
func (s sclipSettings) rule(size int) assign.Rule {
	return assign.Rule{ShortSide: s.side * size / publishedSize, LongSide: 2048 * size / publishedSize, Window: size, Stride: max(1, size/2)}
}

// sclipNumbers are the numbers of the decision.
func (e *Encoded) sclipNumbers(threshold float64) assign.SCLIP {
	s := sclipFor(e.benchmark)
	n := assign.SCLIP{Scale: s.scale, Threshold: threshold, Area: s.area}
	if math.IsNaN(threshold) {
		n.Threshold, n.Area = 0, 0
	}
	return n
}

// sclip makes a plane a query: every synonym of a label, and the words for
// background unless that is off.
func (e *Encoded) sclip(ctx context.Context, classes []vocab.Class, s SegmentOptions, report Report) (*assign.Scores, float64, Report, error) {
	forms, err := e.prompts(s.Templates)
	if err != nil {
		return nil, 0, report, err
	}
	settings := sclipFor(e.benchmark)
	threshold := s.Background.resolve(settings.threshold)
	report.Templates, report.Background = forms.forms.name, thresholdText(threshold)
	words := assign.Words{Labels: len(classes), Width: e.model.config.EmbedWidth}
	var names []string
	if hidden := e.sclipBackground(classes, settings); !math.IsNaN(threshold) && len(hidden) > 0 {
		names, words.Owner = hidden, make([]uint16, len(hidden))
		report.Background = fmt.Sprintf("%s, %g", byWords, threshold)
	}
	for i, c := range classes {
		for _, n := range c.Names() {
			names, words.Owner = append(names, n), append(words.Owner, uint16(i+1))
		}
	}
	if words.Vectors, err = e.model.classVectors(ctx, names, forms, false); err != nil {
		return nil, 0, report, err
	}
	scores, err := assign.Queries(ctx, e.view, words, e.model.source())
	return scores, threshold, report, err
}

// sclipBackground are the words for background. A benchmark's are fixed; for
// other photos a word that means a label is left out.
func (e *Encoded) sclipBackground(classes []vocab.Class, s sclipSettings) []string {
	if e.benchmark != "" {
		return s.background
	}
	return vocab.WithoutLabels(s.background, classes)
}

func (e *Encoded) sclipSweep(ctx context.Context, classes []vocab.Class, s SegmentOptions, thresholds []float64) ([]*mask.Map, Report, error) {
	scores, _, report, err := e.sclip(ctx, classes, s, e.report())
	if err != nil {
		return nil, report, err
	}
	report.Background = byWords
	maps, err := e.sclipNumbers(0).Sweep(ctx, scores, e.view.Width, e.view.Height, thresholds)
	return maps, report, err
}

// countNames is the number of labels and synonyms.
func countNames(classes []vocab.Class) int {
	n := 0
	for _, c := range classes {
		n += 1 + len(c.Synonyms)
	}
	return n
}
