package groupvit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
)

// Quality says how much work protocol best puts into a photo.
type Quality string

// The qualities. What each costs and gains stands in docs/experiments.md.
const (
	// Fast looks once, and reads the map as it is.
	Fast Quality = "fast"
	// Balanced lets regions of like colour vote, so that borders lie where the photo
	// has edges.
	Balanced Quality = "balanced"
	// BestQuality, the default, looks at whole photos in a second size too, and at
	// others in windows that overlap.
	BestQuality Quality = "best"
)

// Qualities returns the names of the qualities.
func Qualities() []Quality { return []Quality{Fast, Balanced, BestQuality} }

// ParseQuality reads a quality's name; "" is [BestQuality].
func ParseQuality(s string) (Quality, error) {
	if q := Quality(s); q == "" || slices.Contains(Qualities(), q) {
		return q, nil
	}
	return "", fmt.Errorf("%w: quality %q, there are fast, balanced and best", ErrOption, s)
}

// Techniques are what protocol best does beyond reading a map of cosines, none of
// which needs training. The zero value does none of it.
type Techniques struct {
	// Size looks at the photo at this multiple of the protocol's size, but never
	// enlarges it further than the protocol does; 0 is 1.
	Size float64
	// Scales looks at the photo again at these multiples of that size.
	Scales []float64
	// Window is the side of sliding windows, as a multiple of the protocol's short
	// side (not of Size); 0 leaves the protocol's.
	Window float64
	// Step is that of these windows, as a share of their side; 0 is a half.
	Step float64

	// Segments is "" (soft: every token mixes its groups), "hard" (a pixel is its
	// group's) or "first" (its first-stage group's).
	Segments string

	// Contrast lets all words that the model was trained to find compete, and
	// discards what they win; words that mean a label are left out.
	Contrast bool
	// Cut drops a label where it is less probable than this share of its best tenth's
	// mean.
	Cut float64

	// PAMR is the number of steps of pixel-adaptive refinement, at a quarter of the
	// photo's size.
	PAMR int
	// Superpixels, if positive, lets regions of like colour vote, each about so many of
	// the model's patches large, as these lie on the photo.
	Superpixels float64
	// Spread is how much of a superpixel's vote is that of those around it which look
	// alike, 0 to 1.
	Spread float64
	// Levels is over how many coarser cuts of the photo, each of half as many
	// superpixels as the one before, votes are averaged too.
	Levels int
}

// Techniques returns what a quality does with this model; "" is [BestQuality].
//
// How a model looks follows from how it was trained. One that looks at whole photos,
// squashed to a size, sees a thing the same however large the photo is: it looks at
// that size, and at the best quality at another too. Any other knows things by their
// size in pixels and sees few at once: it looks at the photo as large as it is, but at
// most at twice the training size, as the paper's network does, in windows of the
// protocol's size.
func (m *Model) Techniques(q Quality) Techniques {
	var t Techniques
	near := m.closer()
	if near > 1 && !m.usage.rule.Squash {
		t = Techniques{Size: near, Window: 1}
	}
	if t.Window > 0 && (q == Fast || q == Balanced) {
		t.Step = 1
	}
	if q == Fast {
		return t
	}
	t.Superpixels, t.Spread, t.Levels = 1.2, 0.9, 2
	if m.source() == assign.FromGroups { // a pixel is its group's, as in the paper's evaluation
		t.Segments = "hard"
	}
	if q != Balanced && near > 1 && m.usage.rule.Squash {
		t.Scales = []float64{near}
	}
	return t
}

// closer is by how much twice the training size is larger than the size that the
// model looks at; 1 where that is no smaller.
func (m *Model) closer() float64 {
	return max(1, 2*float64(m.config.ImageSize)/float64(m.usage.rule.ShortSide))
}

// qualityOf is the quality that does the same as a choice of techniques, of several the
// preferred one; "" where none does.
func (m *Model) qualityOf(t Techniques, preferred Quality) Quality {
	for _, q := range append([]Quality{cmp.Or(preferred, BestQuality)}, Qualities()...) {
		if m.Techniques(q).String() == t.String() {
			return q
		}
	}
	return ""
}

// refines reports whether anything is done that needs the photo itself.
func (t Techniques) refines() bool { return t.PAMR > 0 || t.Superpixels > 0 }

// Techniques as text, and the ranges of what is written there.

// segmentKinds are the values of Techniques.Segments.
var segmentKinds = map[string]assign.Segments{
	"": assign.SoftSegments, "soft": assign.SoftSegments, "hard": assign.HardSegments, "first": assign.FirstSegments,
}

// number is a technique that is a number: its range, and its value where only its
// name is given.
type number struct {
	name           string
	low, high, own float64
	whole          bool
	get            func(*Techniques) float64
	set            func(*Techniques, float64)
}

func real(name string, low, high, own float64, field func(*Techniques) *float64) number {
	return number{name, low, high, own, false, func(t *Techniques) float64 { return *field(t) }, func(t *Techniques, v float64) { *field(t) = v }}
}

func whole(name string, high, own int, field func(*Techniques) *int) number {
	return number{name, 0, float64(high), float64(own), true, func(t *Techniques) float64 { return float64(*field(t)) }, func(t *Techniques, v float64) { *field(t) = int(v) }}
}

func yes(name string, field func(*Techniques) *bool) number {
	return number{name, 0, 1, 1, true, func(t *Techniques) float64 {
		if *field(t) {
			return 1
		}
		return 0
	}, func(t *Techniques, v float64) { *field(t) = v > 0 }}
}

// numbers are the techniques but scales and segments, in the order in which they
// act.
var numbers = []number{
	real("size", 0, 4, 2, func(t *Techniques) *float64 { return &t.Size }),
	real("window", 0, 4, 1, func(t *Techniques) *float64 { return &t.Window }),
	real("step", 0, 1, 1, func(t *Techniques) *float64 { return &t.Step }),
	yes("contrast", func(t *Techniques) *bool { return &t.Contrast }),
	real("cut", 0, 1, 0.2, func(t *Techniques) *float64 { return &t.Cut }),
	whole("pamr", 50, 10, func(t *Techniques) *int { return &t.PAMR }),
	real("superpixels", 0, 64, 1.2, func(t *Techniques) *float64 { return &t.Superpixels }),
	real("spread", 0, 1, 0.9, func(t *Techniques) *float64 { return &t.Spread }),
	whole("levels", 8, 2, func(t *Techniques) *int { return &t.Levels }),
}

// maxScales of one photo.
const maxScales = 8

// check refuses what is out of range.
func (t *Techniques) check() error {
	for _, n := range numbers {
		if v := n.get(t); !(v >= n.low && v <= n.high) {
			return fmt.Errorf("%w: technique %s is %g, allowed are %g to %g", ErrOption, n.name, v, n.low, n.high)
		}
	}
	if _, ok := segmentKinds[t.Segments]; !ok {
		return fmt.Errorf("%w: segments %q, there are soft, hard and first", ErrOption, t.Segments)
	}
	if len(t.Scales) > maxScales {
		return fmt.Errorf("%w: %d scales, at most %d", ErrOption, len(t.Scales), maxScales)
	}
	for _, s := range t.Scales {
		if !(s >= 0.1 && s <= 8) {
			return fmt.Errorf("%w: scale %g, allowed are 0.1 to 8", ErrOption, s)
		}
	}
	return nil
}

// ParseTechniques adds techniques to t by name, as "scales=0.67/1.33,pamr=8":
// a name alone takes its usual value, 0 switches off, and "-name" does so too.
func ParseTechniques(list string, t Techniques) (Techniques, error) {
	for _, part := range strings.Split(list, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, given := strings.Cut(part, "=")
		if off, ok := strings.CutPrefix(name, "-"); ok {
			name, value, given = off, "0", true
		}
		if err := t.parse(name, value, given); err != nil {
			return t, err
		}
	}
	return t, t.check()
}

func (t *Techniques) parse(name, value string, given bool) error {
	switch name {
	case "segments":
		if value == "0" {
			value = "soft"
		}
		if value == "soft" {
			value = ""
		}
		t.Segments = value
		return nil
	case "scales":
		t.Scales = nil
		if value == "0" {
			return nil
		}
		if !given {
			value = "0.67/1.33"
		}
		for _, s := range strings.Split(value, "/") {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return fmt.Errorf("%w: scales %q: write numbers parted by strokes, as 0.67/1.33", ErrOption, value)
			}
			t.Scales = append(t.Scales, v)
		}
		return nil
	}
	i := slices.IndexFunc(numbers, func(n number) bool { return n.name == name })
	if i < 0 {
		return fmt.Errorf("%w: technique %q, there are %s", ErrOption, name, strings.Join(TechniqueNames(), ", "))
	}
	n, v := numbers[i], numbers[i].own
	if given {
		var err error
		if v, err = strconv.ParseFloat(value, 64); err != nil || n.whole && v != float64(int(v)) {
			return fmt.Errorf("%w: technique %s=%q: write a number from %g to %g", ErrOption, name, value, n.low, n.high)
		}
	}
	n.set(t, v)
	return nil
}

// TechniqueNames returns the names that [ParseTechniques] knows.
func TechniqueNames() []string {
	names := []string{"scales", "segments"}
	for _, n := range numbers {
		names = append(names, n.name)
	}
	return names
}

// String is what [ParseTechniques] reads, of those that act; "" is none.
func (t Techniques) String() string {
	var parts []string
	if len(t.Scales) > 0 {
		var scales []string
		for _, s := range t.Scales {
			scales = append(scales, strconv.FormatFloat(s, 'g', 4, 64))
		}
		parts = append(parts, "scales="+strings.Join(scales, "/"))
	}
	if t.Segments != "" && t.Segments != "soft" {
		parts = append(parts, "segments="+t.Segments)
	}
	for _, n := range numbers {
		switch v := n.get(&t); {
		case v == 0:
		case v == 1 && n.high == 1 && n.whole:
			parts = append(parts, n.name)
		default:
			parts = append(parts, n.name+"="+strconv.FormatFloat(v, 'g', 6, 64))
		}
	}
	return strings.Join(parts, ",")
}
