package evaluate

import (
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/groupvit/groupvit/internal/bench"
)

// Oracle says which part of the truth a predictor is given, to tell grouping from
// naming.
type Oracle string

// The oracles.
const (
	// NoOracle gives nothing.
	NoOracle Oracle = ""
	// OracleRegions gives each region that the predictor cuts out the class that
	// most of its pixels have: what is lost then is lost in grouping.
	OracleRegions Oracle = "regions"
	// OracleLabels asks for the classes alone that the photo has: what is gained
	// then was lost to words for what is not there.
	OracleLabels Oracle = "labels"
)

// Guided is a predictor that an oracle can help. It must be safe for concurrent
// use.
type Guided interface {
	Predictor
	// Regions cuts a photo into regions that no word has named: a number a pixel,
	// of the photo's own size.
	Regions(ctx context.Context, photo image.Image) ([]uint16, error)
	// PredictAmong is Predict with some classes alone to choose from, background
	// among them where the dataset has it.
	PredictAmong(ctx context.Context, photo image.Image, classes []int, thresholds []float64) ([][]uint8, error)
}

func (o Oracle) check(p Predictor) error {
	switch o {
	case NoOracle:
		return nil
	case OracleRegions, OracleLabels:
	default:
		return fmt.Errorf("%w: oracle %q: there are %s and %s", ErrOptions, o, OracleRegions, OracleLabels)
	}
	if _, ok := p.(Guided); !ok {
		return fmt.Errorf("%w: this predictor takes no oracle", ErrOptions)
	}
	return nil
}

// predict asks the predictor, with the help of the oracle.
func (r *run) predict(ctx context.Context, photo image.Image, truth *bench.Truth) ([][]uint8, error) {
	switch r.options.Oracle {
	case OracleRegions:
		regions, err := r.predictor.(Guided).Regions(ctx, photo)
		if err != nil {
			return nil, err
		}
		if len(regions) != len(truth.Labels) {
			return nil, fmt.Errorf("%w: %d pixels of regions, %d of truth", ErrSize, len(regions), len(truth.Labels))
		}
		named := nameRegions(regions, truth.Labels)
		maps := make([][]uint8, len(r.thresholds))
		for t := range maps {
			maps[t] = named // no threshold has a say
		}
		return maps, nil
	case OracleLabels:
		return r.predictor.(Guided).PredictAmong(ctx, photo, r.present(truth), r.thresholds)
	}
	return r.predictor.Predict(ctx, photo, r.thresholds)
}

// present are the classes of a photo's truth, and background.
func (r *run) present(truth *bench.Truth) []int {
	var has [256]bool
	for _, l := range truth.Labels {
		has[l] = true
	}
	var classes []int
	for c := range r.dataset.Classes {
		if has[c] || c == r.dataset.Background {
			classes = append(classes, c)
		}
	}
	return classes
}

// nameRegions gives each region the class that most of its pixels have, the first
// on ties. One whose pixels are all ignored gets the first class, which does not
// count.
func nameRegions(regions []uint16, truth []uint8) []uint8 {
	votes := make([][256]int32, int(slices.Max(regions))+1)
	for i, r := range regions {
		votes[r][truth[i]]++
	}
	names := make([]uint8, len(votes))
	for r := range votes {
		v := votes[r][:bench.Ignore]
		for c, n := range v {
			if n > v[names[r]] {
				names[r] = uint8(c)
			}
		}
	}
	out := make([]uint8, len(regions))
	for i, r := range regions {
		out[i] = names[r]
	}
	return out
}

// connected numbers the connected regions of equal labels (four neighbours), in the
// order of their first pixels; what is beyond 65,535 regions joins the last.
func connected(labels []uint8, width int) []uint16 {
	const none = -1
	numbers := make([]int32, len(labels))
	for i := range numbers {
		numbers[i] = none
	}
	var stack []int
	next := int32(0)
	for start := range labels {
		if numbers[start] != none {
			continue
		}
		numbers[start] = next
		for stack = append(stack, start); len(stack) > 0; {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			neighbours(i, width, len(labels), func(j int) {
				if numbers[j] == none && labels[j] == labels[i] {
					numbers[j] = next
					stack = append(stack, j)
				}
			})
		}
		next++
	}
	out := make([]uint16, len(labels))
	for i, n := range numbers {
		out[i] = uint16(min(n, 1<<16-1))
	}
	return out
}
