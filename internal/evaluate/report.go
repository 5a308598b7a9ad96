package evaluate

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/groupvit/groupvit/internal/bench"
)

// Report is what a measurement of segmentations found. All shares are in
// percent, rounded to two digits; null is a share that is not defined.
type Report struct {
	// MIoU is the mean of PerClass over the classes that have a value.
	MIoU *float64 `json:"mIoU"`
	// MIoUPresent is the mean over the classes with true pixels.
	MIoUPresent *float64 `json:"mIoU_present"`
	// PerClass is the intersection over union of each class.
	PerClass map[string]*float64 `json:"per_class"`
	// Recall is the share of each class's pixels that were found.
	Recall map[string]*float64 `json:"recall"`
	// PixelAccuracy is the share of pixels with the right class.
	PixelAccuracy *float64 `json:"pixel_accuracy"`
	// ForegroundRecall is the mean recall of the classes other than background.
	ForegroundRecall *float64 `json:"foreground_recall"`
	About
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
	// Baseline is what one class everywhere would give.
	Baseline Baseline `json:"baseline"`
	// Split is set where the threshold was chosen on half of the photos for
	// the other.
	Split *Split `json:"split_threshold,omitempty"`
	// Command made the report.
	Command string `json:"command"`
	// PerImage holds the photos' areas.
	PerImage []ImageResult `json:"per_image,omitempty"`
}

// Baseline is the result of predicting one class for every pixel: background,
// or where there is none the most frequent class.
type Baseline struct {
	Class         string   `json:"class"`
	MIoU          *float64 `json:"mIoU"`
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

// GridPoint is one threshold and the mean on all photos with it.
type GridPoint struct {
	Threshold float64  `json:"threshold"`
	MIoU      *float64 `json:"mIoU"`
}

// ImageResult holds the areas of one photo.
type ImageResult struct {
	ID string `json:"id"`
	// Classes lists, for each class that truth or prediction has: class number,
	// intersection, predicted and true pixels.
	Classes [][4]int64 `json:"classes"`
}

func newReport(d *bench.Dataset, about About) *Report {
	return &Report{
		About: about, Dataset: d.Name, Root: d.Root, Classes: d.Names(), Unnamed: d.Unnamed,
		PerClass: map[string]*float64{}, Recall: map[string]*float64{}, Absent: []string{}, LeftOut: []string{},
	}
}

// fill takes the numbers from a confusion matrix.
func (r *Report) fill(c *Confusion) {
	m := c.Metrics()
	r.MIoU, r.MIoUPresent, r.PixelAccuracy = percent(m.Mean), percent(m.MeanPresent), percent(m.Accuracy)
	r.Pixels = m.Pixels
	var foreground mean
	for i, a := range c.Areas() {
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
}

// chooseThresholds picks the best threshold of each half for the other and
// reports the sum of what both halves give with it.
func (r *Report) chooseThresholds(total counts, thresholds []float64) {
	s := &Split{}
	var best [2]int
	for half := range total {
		best[half] = bestThreshold(total[half])
	}
	even, odd := total[0][best[1]], total[1][best[0]]
	s.EvenThreshold, s.OddThreshold = thresholds[best[0]], thresholds[best[1]]
	s.EvenMIoU, s.OddMIoU = percent(even.Metrics().Mean), percent(odd.Metrics().Mean)
	for t, threshold := range thresholds {
		all := NewConfusion(len(r.Classes))
		all.Merge(total[0][t])
		all.Merge(total[1][t])
		s.Grid = append(s.Grid, GridPoint{Threshold: threshold, MIoU: percent(all.Metrics().Mean)})
	}
	sum := NewConfusion(len(r.Classes))
	sum.Merge(even)
	sum.Merge(odd)
	r.fill(sum)
	r.Split = s
	rule := fmt.Sprintf("threshold chosen on half of the photos for the other: %g, %g", s.EvenThreshold, s.OddThreshold)
	if r.Background != "" { // the model's words for background, for example
		rule = r.Background + ", " + rule
	}
	r.Background = rule
}

// bestThreshold returns the place of the matrix with the largest mean, the
// first of equals.
func bestThreshold(list []*Confusion) int {
	best, value := 0, math.Inf(-1)
	for i, c := range list {
		if m := c.Metrics().Mean; m > value {
			best, value = i, m
		}
	}
	return best
}

// baseline computes what one class everywhere would give; truth is the same for
// all thresholds.
func baseline(d *bench.Dataset, total counts) Baseline {
	n := len(d.Classes)
	truth := make([]int64, n)
	for half := range total {
		for i, a := range total[half][0].Areas() {
			truth[i] += a.Truth
		}
	}
	class := d.Background
	if class < 0 {
		class = slices.Index(truth, slices.Max(truth))
	}
	c := NewConfusion(n)
	for t, pixels := range truth {
		c.counts[t*n+class] = pixels
	}
	// Classes that do not occur are left out, all others have IoU 0.
	m := c.Metrics()
	return Baseline{Class: d.Classes[class].Name, MIoU: percent(m.Mean), PixelAccuracy: percent(m.Accuracy)}
}

func round(v float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(v*scale) / scale
}

// WriteText writes the report as a table for people.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "class\tIoU\trecall\t")
	for _, name := range r.Classes {
		fmt.Fprintf(t, "%s\t%s\t%s\t\n", name, number(r.PerClass[name]), number(r.Recall[name]))
	}
	fmt.Fprintf(t, "mIoU\t%s\t\t\n", number(r.MIoU))
	if err := t.Flush(); err != nil {
		return err
	}
	lines := []string{
		fmt.Sprintf("pixel accuracy %s %%, foreground recall %s %%", number(r.PixelAccuracy), number(r.ForegroundRecall)),
		fmt.Sprintf("baseline (%s everywhere): mIoU %s, pixel accuracy %s %%", r.Baseline.Class, number(r.Baseline.MIoU), number(r.Baseline.PixelAccuracy)),
		fmt.Sprintf("protocol %s, background %s, templates %s", r.Protocol, r.Background, cmp.Or(r.Templates, "the protocol's")),
		fmt.Sprintf("model %s (sha256 %.12s), engine %s", r.Model.Name, cmp.Or(r.Model.SHA256, "unknown"), r.Engine),
		fmt.Sprintf("dataset %s, %d photos, %d pixels, %.2f photos/s", r.Dataset, r.Images, r.Pixels, r.ImagesPerSecond),
	}
	switch r.Unnamed {
	case "background":
		lines = append(lines, "pixels of classes that were not named count as background")
	case "ignored":
		lines = append(lines, "pixels of classes that were not named are ignored")
	}
	if len(r.Absent) > 0 {
		lines = append(lines, fmt.Sprintf("without true pixels: %s; left out of the mean (never predicted either): %s; mIoU over the classes with true pixels: %s",
			strings.Join(r.Absent, ", "), cmp.Or(strings.Join(r.LeftOut, ", "), "none"), number(r.MIoUPresent)))
	}
	if s := r.Split; s != nil {
		lines = append(lines, fmt.Sprintf("threshold %g for even photos (mIoU %s), %g for odd photos (%s), each chosen on the others",
			s.OddThreshold, number(s.EvenMIoU), s.EvenThreshold, number(s.OddMIoU)))
	}
	if r.Note != "" {
		lines = append(lines, r.Note)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// number writes a share, "–" where it is not defined.
func number(p *float64) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f", *p)
}
