package groupvit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/vocab"
)

// Options of [Open]. nil and the zero value are the defaults.
type Options struct {
	// Engine is what computes: "auto", "simd", "go" or "xla"; empty means the
	// environment variable GROUPVIT_ENGINE, then auto.
	Engine string
	// Threads is the number of threads of one computation; 0 means all.
	Threads int
	// Precision of the products with weights: "float32", or "bf16" or "int8" where
	// the CPU has instructions for it; "auto" is the fastest of them whose masks agree
	// with float32 on 99.9 % of the pixels, see [Model.Precision]. Empty means the
	// environment variable GROUPVIT_PRECISION, then float32. The rest is float32 always.
	Precision string
	// Calibration is a file of groupvit calibrate, to use instead of the model's own.
	Calibration string
}

// Background says what makes a pixel background. The zero value is the
// protocol's own rule.
type Background struct {
	mode      backgroundMode
	threshold float64
}

type backgroundMode int

const (
	backgroundAuto backgroundMode = iota
	backgroundOff
	backgroundThreshold
)

// NoBackground gives every pixel a label.
func NoBackground() Background { return Background{mode: backgroundOff} }

// BackgroundBelow makes pixels background whose best label scores below t, 0 to
// 1: a probability in the sense of the protocol.
func BackgroundBelow(t float64) Background {
	return Background{mode: backgroundThreshold, threshold: t}
}

// ParseBackground reads "auto", "off" or a threshold from 0 to 1.
func ParseBackground(s string) (Background, error) {
	switch s {
	case "", "auto":
		return Background{}, nil
	case "off":
		return NoBackground(), nil
	}
	t, err := strconv.ParseFloat(s, 64)
	b := BackgroundBelow(t)
	if err != nil || b.check() != nil {
		return Background{}, fmt.Errorf("%w: background %q, allowed are auto, off, and a threshold from 0 to 1", ErrOption, s)
	}
	return b, nil
}

func (b Background) check() error {
	if b.mode == backgroundThreshold && !(b.threshold >= 0 && b.threshold <= 1) {
		return fmt.Errorf("%w: background threshold %g is not from 0 to 1", ErrOption, b.threshold)
	}
	return nil
}

// validateFor checks the background under a protocol.
func (b Background) validateFor(p Protocol) error {
	if b.mode == backgroundThreshold && !p.HasBackground() {
		return fmt.Errorf("background %s: %w", b, errNoBackground(p))
	}
	return b.check()
}

func errNoBackground(p Protocol) error {
	return fmt.Errorf("%w: protocol %s has no background: use paper, tcl, sclip or best", ErrOption, p)
}

// String is what ParseBackground reads.
func (b Background) String() string {
	switch b.mode {
	case backgroundOff:
		return "off"
	case backgroundThreshold:
		return strconv.FormatFloat(b.threshold, 'g', -1, 64)
	}
	return "auto"
}

// resolve returns the threshold in force: NaN is off. auto is the protocol's.
func (b Background) resolve(auto float64) float64 {
	switch b.mode {
	case backgroundOff:
		return math.NaN()
	case backgroundThreshold:
		return b.threshold
	}
	return auto
}

// SegmentOptions of [Model.Segment]: how the photo is encoded, and how the query is
// answered. nil and the zero value are the defaults.
type SegmentOptions struct {
	EncodeOptions
	QueryOptions
}

// EncodeOptions of [Model.Encode]. nil and the zero value are the defaults.
type EncodeOptions struct {
	// Protocol is empty for the model's default.
	Protocol Protocol
	// ShortSide, if positive, is what the photo's short side becomes, in pixels,
	// instead of the protocol's size; the window follows it. Not for hf.
	ShortSide int
	// Quality is what protocol best does; empty is [BestQuality].
	Quality Quality
	// With adds techniques to those of the quality, as [ParseTechniques] reads them:
	// "pamr=10,-contrast".
	With string
	// Techniques, if set, is what protocol best does instead of what Quality and With
	// say.
	Techniques *Techniques
	// Benchmark names a benchmark for which a protocol has rules of its own: size,
	// threshold, background vocabulary. One of [Benchmarks]; empty is any photo.
	Benchmark string
}

// QueryOptions of [Encoded.Segment]. nil and the zero value are the defaults.
type QueryOptions struct {
	// Background is what makes a pixel background. hf has none: a threshold is
	// an error there.
	Background Background
	// Templates names the prompts ("simple", "subset", "short", …); empty is the
	// protocol's: simple for paper and hf, tcl and full (80) for tcl and sclip, for
	// best those that the model was trained with (short, where it does not say).
	Templates string
	// Sharpness, if positive, is the scale of protocol best's softmax over cosines, up
	// to 1000, instead of the calibration's or the model's own; see [Model.Sharpness].
	Sharpness float64
	// ResultSide, if positive, is the most that the result's long side has, in
	// pixels: the result of a larger photo is smaller than it, in proportion. For
	// previews, which take a fraction of the time.
	ResultSide int
	// MinArea leaves out smaller parts of the map ([mask.Map.RemoveSmall]): they go to
	// the label around them. A segment's score stays that of the pixels before it, and
	// [Confidence] and Scores know nothing of it. The zero value keeps the map exact.
	MinArea MinArea
	// Scores asks for the class scores of every pixel.
	Scores bool
}

// resultSize is the size of the result for a photo, each side at least 1.
func (s *QueryOptions) resultSize(width, height int) (int, int) {
	long := max(width, height)
	if s.ResultSide <= 0 || long <= s.ResultSide {
		return width, height
	}
	side := func(v int) int { return max(1, (2*v*s.ResultSide+long)/(2*long)) }
	return side(width), side(height)
}

// parseLabels checks labels; "dog|puppy" is a label with a synonym.
func parseLabels(labels []string) ([]vocab.Class, error) {
	classes := make([]vocab.Class, len(labels))
	for i, l := range labels {
		names := strings.Split(l, "|")
		classes[i] = vocab.Class{Name: names[0], Synonyms: names[1:]}
	}
	checked, err := vocab.CheckLabels(classes)
	if err != nil && !errors.Is(err, ErrLabels) {
		err = fmt.Errorf("%w: %w", ErrLabels, err)
	}
	return checked, err
}
