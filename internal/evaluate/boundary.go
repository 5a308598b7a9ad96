package evaluate

import (
	"math"

	"github.com/groupvit/groupvit/internal/bench"
)

// BoundaryPixels is how far, in pixels, a boundary may be off and count as found.
const BoundaryPixels = 3

// ignoredReach is how far, in steps of one pixel, labels grow into ignored pixels
// before boundaries are looked for. The ignored band around VOC's objects is five
// pixels wide and lies over the true boundary, which this puts in its middle.
const ignoredReach = 5

// BoundaryCounts are what the boundary F-score of one class is made of: pixels of
// predicted and of true boundaries, and how many of each lie within
// [BoundaryPixels] of the other.
type BoundaryCounts struct {
	PredictedNear, Predicted, TrueNear, True int64
}

func (b *BoundaryCounts) add(o BoundaryCounts) {
	b.PredictedNear += o.PredictedNear
	b.Predicted += o.Predicted
	b.TrueNear += o.TrueNear
	b.True += o.True
}

// F is the harmonic mean of the share of predicted boundary pixels that are near a
// true one and the share of true ones that are near a predicted one, 0 to 1; NaN
// where there is no boundary at all.
func (b BoundaryCounts) F() float64 {
	if b.Predicted+b.True == 0 {
		return math.NaN()
	}
	if b.Predicted == 0 || b.True == 0 {
		return 0
	}
	precision, recall := float64(b.PredictedNear)/float64(b.Predicted), float64(b.TrueNear)/float64(b.True)
	if precision+recall == 0 {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// Boundaries counts the boundary pixels of each class in one picture. A pixel is on
// the boundary of its class where one of its four neighbours has another class;
// what lies beyond the picture or is ignored is no neighbour. Labels first grow
// into ignored pixels by [ignoredReach]; on what is ignored still, predicted
// boundaries do not count.
//
// That is the rule where background is a class. Where it is ignored, as in voc20
// (surroundings is false), the surroundings of objects are not known, and only
// borders between two labelled pixels count, true and predicted: labels grow into
// bands between objects that they fill, and not into anything wider.
func Boundaries(truth, prediction []uint8, width, classes int, surroundings bool) []BoundaryCounts {
	filled := growIntoIgnored(truth, width)
	if !surroundings {
		shrinkFromWide(filled, truth, width)
	}
	actual := boundaryPixels(filled, width)
	judged := prediction
	if !surroundings {
		judged = within(prediction, filled)
	}
	predicted := within(boundaryPixels(judged, width), filled)
	counts := make([]BoundaryCounts, classes)
	for i := range filled {
		if c := predicted[i]; c != bench.Ignore {
			counts[c].Predicted++
			if closeBy(actual, width, i, c) {
				counts[c].PredictedNear++
			}
		}
		if c := actual[i]; c != bench.Ignore {
			counts[c].True++
			if closeBy(predicted, width, i, c) {
				counts[c].TrueNear++
			}
		}
	}
	return counts
}

// neighbours calls visit for the four neighbours of pixel i: above, left, right,
// below, as far as they are in the picture.
func neighbours(i, width, n int, visit func(j int)) {
	if i >= width {
		visit(i - width)
	}
	if i%width > 0 {
		visit(i - 1)
	}
	if i%width < width-1 {
		visit(i + 1)
	}
	if i+width < n {
		visit(i + width)
	}
}

// growIntoIgnored gives an ignored pixel the label of its first labelled neighbour,
// in steps.
func growIntoIgnored(labels []uint8, width int) []uint8 {
	filled := append([]uint8(nil), labels...)
	for range ignoredReach {
		before := append([]uint8(nil), filled...)
		for i, l := range before {
			if l != bench.Ignore {
				continue
			}
			neighbours(i, width, len(labels), func(j int) {
				if filled[i] == bench.Ignore {
					filled[i] = before[j]
				}
			})
		}
	}
	return filled
}

// shrinkFromWide takes back what labels grew by into ignored regions that they do not
// fill: filled becomes the truth there.
func shrinkFromWide(filled, truth []uint8, width int) {
	for range ignoredReach {
		before := append([]uint8(nil), filled...)
		for i, l := range before {
			if l == bench.Ignore || truth[i] != bench.Ignore {
				continue
			}
			neighbours(i, width, len(filled), func(j int) {
				if before[j] == bench.Ignore {
					filled[i] = bench.Ignore
				}
			})
		}
	}
}

// within returns labels where mask is labelled, and [bench.Ignore] elsewhere.
func within(labels, mask []uint8) []uint8 {
	out := append([]uint8(nil), labels...)
	for i, m := range mask {
		if m == bench.Ignore {
			out[i] = bench.Ignore
		}
	}
	return out
}

// boundaryPixels returns the label of each pixel on its boundary, and
// [bench.Ignore] elsewhere.
func boundaryPixels(labels []uint8, width int) []uint8 {
	out := make([]uint8, len(labels))
	for i, l := range labels {
		out[i] = bench.Ignore
		if l == bench.Ignore {
			continue
		}
		neighbours(i, width, len(labels), func(j int) {
			if labels[j] != l && labels[j] != bench.Ignore {
				out[i] = l
			}
		})
	}
	return out
}

// closeBy says whether a boundary of class c comes within [BoundaryPixels] of pixel i.
func closeBy(boundary []uint8, width, i int, c uint8) bool {
	x0, y0, height := i%width, i/width, len(boundary)/width
	for dy := -BoundaryPixels; dy <= BoundaryPixels; dy++ {
		for dx := -BoundaryPixels; dx <= BoundaryPixels; dx++ {
			x, y := x0+dx, y0+dy
			if dx*dx+dy*dy <= BoundaryPixels*BoundaryPixels && x >= 0 && x < width && y >= 0 && y < height && boundary[y*width+x] == c {
				return true
			}
		}
	}
	return false
}
