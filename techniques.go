package groupvit

import (
	"cmp"
	"fmt"
	"slices"

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
