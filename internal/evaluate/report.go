package evaluate

import (
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/bench"
)

// Report is what a measurement of segmentations found. All shares are in
// percent, rounded to two digits; null is a share that is not defined.
type Report struct {
	// MIoU is the mean of PerClass over the classes that have a value.
	MIoU *float64 `json:"mIoU"`
	// MIoUPresent is the mean over the classes with true pixels, which the baseline's
	// is to be compared with.
	MIoUPresent *float64 `json:"mIoU_present"`
	// PerClass is the intersection over union of each class.
	PerClass map[string]*float64 `json:"per_class"`
	// Recall is the share of each class's pixels that were found.
	Recall map[string]*float64 `json:"recall"`
	// BoundaryF is the mean of BoundaryPerClass, each class's boundary F-score at
	// BoundaryPixels, of boundary pixels summed over all photos; null where a
	// threshold was chosen for each half.
	BoundaryF        *float64            `json:"boundary_f"`
	BoundaryPerClass map[string]*float64 `json:"boundary_f_per_class,omitempty"`
	// PixelAccuracy is the share of pixels with the right class.
	PixelAccuracy *float64 `json:"pixel_accuracy"`
	// ForegroundRecall is the mean recall of the classes other than background.
	ForegroundRecall *float64 `json:"foreground_recall"`
	About
	// Oracle is the part of the truth that was given, "" for none.
	Oracle Oracle `json:"oracle,omitempty"`
	// Dataset, Root and Classes say what it was measured on; Unnamed, what
	// became of pixels of other classes ("background", "ignored", or "" where
	// there are none).
	Dataset string   `json:"dataset"`
	Root    string   `json:"root"`
	Classes []string `json:"classes"`
	Unnamed string   `json:"unnamed,omitempty"`
	// Absent are classes without a true pixel. LeftOut are those of them that
	// were never predicted either, which the mean leaves out.
	Absent  []string `json:"absent"`
	LeftOut []string `json:"left_out"`
	// Images is the number of photos, Pixels the number of pixels that counted.
	Images          int     `json:"images"`
	Pixels          int64   `json:"pixels"`
	Seconds         float64 `json:"seconds"`
	ImagesPerSecond float64 `json:"images_per_second"`
	// Resumed is how many of the photos an earlier run had measured; seconds and
	// speed are of the others.
	Resumed int `json:"resumed,omitempty"`
	// Baseline is what one class everywhere would give.
	Baseline Baseline `json:"baseline"`
	// Split is set where the threshold was chosen on half of the photos for
	// the other.
	Split *Split `json:"split_threshold,omitempty"`
	// Sweep holds what each of many background thresholds would give; the best of
	// them is chosen on the photos themselves and is no result.
	Sweep []GridPoint `json:"sweep,omitempty"`
	// Command made the report.
	Command string `json:"command"`
	// PerImage holds what was counted on each photo.
	PerImage []ImageResult `json:"per_image,omitempty"`
}

// Baseline is the result of predicting one class for every pixel: background,
// or where there is none the most frequent class.
type Baseline struct {
	Class string   `json:"class"`
	MIoU  *float64 `json:"mIoU"`
	// MIoUPresent is the mean over the classes with true pixels: to be compared with
	// the report's MIoUPresent. One class everywhere predicts no absent class, so its
	// MIoU would be set beside a mean that has one 0 for each absent class predicted.
	MIoUPresent   *float64 `json:"mIoU_present"`
	PixelAccuracy *float64 `json:"pixel_accuracy"`
}

// Split tells of a threshold that was chosen on half of the photos.
type Split struct {
	// EvenThreshold was chosen on the photos with even numbers (from 0) and
	// used for those with odd numbers; OddThreshold the other way round.
	EvenThreshold float64 `json:"even_threshold"`
	OddThreshold  float64 `json:"odd_threshold"`
	// EvenMIoU and OddMIoU are the means of each half as reported, with the
	// threshold of the other half.
	EvenMIoU *float64 `json:"even_mIoU"`
	OddMIoU  *float64 `json:"odd_mIoU"`
	// Grid holds the thresholds tried and the mean on all photos with each.
	Grid []GridPoint `json:"grid"`
}

// GridPoint is one threshold and what all photos give with it.
type GridPoint struct {
	Threshold     float64  `json:"threshold"`
	MIoU          *float64 `json:"mIoU"`
	PixelAccuracy *float64 `json:"pixel_accuracy"`
}

func newReport(d *bench.Dataset, about About) *Report {
	return &Report{
		About: about, Dataset: d.Name, Root: d.Root, Classes: d.Names(), Unnamed: d.Unnamed,
		PerClass: map[string]*float64{}, Recall: map[string]*float64{}, Absent: []string{}, LeftOut: []string{},
	}
}

// areas sums the photos' areas by class.
func (r *Report) areas() []Areas {
	sum := make([]Areas, len(r.Classes))
	for _, im := range r.PerImage {
		im.Classes.addTo(sum, 1)
	}
	return sum
}

// fill takes the numbers from the photos. background is the number of that class,
// −1 where there is none.
func (r *Report) fill(background int, split bool) {
	areas := r.areas()
	m := MetricsOf(areas)
	r.MIoU, r.MIoUPresent, r.PixelAccuracy = percent(m.Mean), percent(m.MeanPresent), percent(m.Accuracy)
	r.Pixels = m.Pixels
	var foreground mean
	for i, a := range areas {
		name := r.Classes[i]
		r.PerClass[name], r.Recall[name] = percent(m.IoU[i]), percent(m.Recall[i])
		if a.Truth == 0 {
			r.Absent = append(r.Absent, name)
		} else if name != "background" {
			foreground.add(m.Recall[i])
		}
		if a.Union() == 0 {
			r.LeftOut = append(r.LeftOut, name)
		}
	}
	r.ForegroundRecall = percent(foreground.value())
	r.Baseline = r.baseline(areas, background)
	if !split {
		r.fillBoundaries()
	}
}

func (r *Report) fillBoundaries() {
	r.BoundaryPerClass = map[string]*float64{}
	var all mean
	for i, b := range sumBoundaries(r.PerImage, len(r.Classes)) {
		f := b.F()
		r.BoundaryPerClass[r.Classes[i]] = percent(f)
		if !math.IsNaN(f) {
			all.add(f)
		}
	}
	r.BoundaryF = percent(all.value())
}

// chooseThresholds picks the best threshold of each half of the photos for the
// other, and returns by photo the place of the threshold in force.
func (r *Report) chooseThresholds(counts []imageCounts, thresholds []float64) func(i int) int {
	s := &Split{}
	var best [2]int
	for half := range best {
		best[half] = r.bestThreshold(counts, half, len(thresholds))
	}
	s.EvenThreshold, s.OddThreshold = thresholds[best[0]], thresholds[best[1]]
	s.EvenMIoU = percent(MetricsOf(r.sum(counts, 0, best[1])).Mean)
	s.OddMIoU = percent(MetricsOf(r.sum(counts, 1, best[0])).Mean)
	s.Grid = r.grid(counts, thresholds, 0)
	r.Split = s
	rule := fmt.Sprintf("threshold chosen on half of the photos for the other: %g, %g", s.EvenThreshold, s.OddThreshold)
	if r.Background != "" { // the model's words for background, for example
		rule = r.Background + ", " + rule
	}
	r.Background = rule
	return func(i int) int { return best[1-i%2] }
}

// both stands for the photos of both halves.
const both = -1

// sum adds up the areas of a half of the photos with the threshold at place t.
func (r *Report) sum(counts []imageCounts, half, t int) []Areas {
	sum := make([]Areas, len(r.Classes))
	for i, c := range counts {
		if half == both || i%2 == half {
			c.Maps[t].addTo(sum, 1)
		}
	}
	return sum
}

// bestThreshold returns the place of the threshold with the largest mean on a half,
// the first of equals.
func (r *Report) bestThreshold(counts []imageCounts, half, thresholds int) int {
	best, value := 0, math.Inf(-1)
	for t := range thresholds {
		if m := MetricsOf(r.sum(counts, half, t)).Mean; m > value {
			best, value = t, m
		}
	}
	return best
}

// grid is what each threshold from a place on gives on all photos.
func (r *Report) grid(counts []imageCounts, thresholds []float64, from int) []GridPoint {
	var grid []GridPoint
	for t := from; t < len(thresholds); t++ {
		m := MetricsOf(r.sum(counts, both, t))
		grid = append(grid, GridPoint{Threshold: thresholds[t], MIoU: percent(m.Mean), PixelAccuracy: percent(m.Accuracy)})
	}
	return grid
}

// baseline computes what one class everywhere would give.
func (r *Report) baseline(areas []Areas, class int) Baseline {
	if class < 0 {
		class = 0
		for i, a := range areas {
			if a.Truth > areas[class].Truth {
				class = i
			}
		}
	}
	one := make([]Areas, len(areas))
	for i, a := range areas {
		one[i].Truth = a.Truth
		one[class].Predicted += a.Truth
	}
	one[class].Intersection = one[class].Truth
	// Classes that do not occur are left out, all others have IoU 0.
	m := MetricsOf(one)
	return Baseline{Class: r.Classes[class], MIoU: percent(m.Mean), MIoUPresent: percent(m.MeanPresent), PixelAccuracy: percent(m.Accuracy)}
}

func round(v float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(v*scale) / scale
}
