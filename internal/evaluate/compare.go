package evaluate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"
)

// ErrReports is wrapped by errors about reports that cannot be read or compared.
var ErrReports = errors.New("reports cannot be compared")

// CompareOptions say how to compare.
type CompareOptions struct {
	// Samples is the number of resamples; 0 is 2000.
	Samples int
	// Seed decides the resamples.
	Seed uint64
}

// Comparison is the difference of two reports on the same photos, B less A, in
// percent.
type Comparison struct {
	A Compared `json:"a"`
	B Compared `json:"b"`
	// Dataset and Images are what both were measured on.
	Dataset string `json:"dataset"`
	Images  int    `json:"images"`
	// MIoU, PixelAccuracy and BoundaryF are the differences of those.
	MIoU          Difference  `json:"mIoU"`
	PixelAccuracy Difference  `json:"pixel_accuracy"`
	BoundaryF     *Difference `json:"boundary_f,omitempty"`
	// PerClass are those of each class's IoU; a class that one of them leaves out
	// is not there.
	PerClass map[string]Difference `json:"per_class"`
	Classes  []string              `json:"classes"`
	Samples  int                   `json:"samples"`
	Seed     uint64                `json:"seed"`
	Command  string                `json:"command"`
}

// Compared names a side of a comparison.
type Compared struct {
	Model      Model    `json:"model"`
	Protocol   string   `json:"protocol"`
	Background string   `json:"background"`
	MIoU       *float64 `json:"mIoU"`
	Command    string   `json:"command"`
}

// Difference is B less A with a 95 % interval by the bootstrap over photos: both
// reports are summed again for the same photos drawn with replacement.
type Difference struct {
	A          float64 `json:"a"`
	B          float64 `json:"b"`
	Difference float64 `json:"difference"`
	// Low and High are the 2.5th and 97.5th percentiles.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Better is the share of resamples, 0 to 1, in which B is above A.
	Better float64 `json:"share_better"`
}

// Clear says whether the interval leaves no doubt about the sign.
func (d Difference) Clear() bool { return d.Low > 0 || d.High < 0 }

// Compare compares two reports of the same classes and photos.
func Compare(a, b *Report, o CompareOptions) (*Comparison, error) {
	if o.Samples == 0 {
		o.Samples = 2000
	}
	if o.Samples < 0 || o.Samples > 1_000_000 {
		return nil, fmt.Errorf("%w: %d resamples: 1 to 1,000,000", ErrOptions, o.Samples)
	}
	if !slices.Equal(a.Classes, b.Classes) {
		return nil, fmt.Errorf("%w: the classes differ: %.200s against %.200s", ErrReports, strings.Join(a.Classes, ","), strings.Join(b.Classes, ","))
	}
	paired, err := pairUp(a.PerImage, b.PerImage)
	if err != nil {
		return nil, err
	}
	c := &Comparison{
		A: compared(a), B: compared(b), Dataset: a.Dataset, Images: len(paired), Classes: a.Classes, Samples: o.Samples, Seed: o.Seed,
		PerClass: map[string]Difference{},
	}
	n := len(a.Classes)
	times := make([]int64, len(paired))
	for i := range times {
		times[i] = 1
	}
	whole := measures(paired, times, n)
	draws := make([][]sides, len(whole)) // by measure
	random := rand.New(rand.NewPCG(o.Seed, 0x6261636b))
	for range o.Samples {
		clear(times)
		for range paired {
			times[random.IntN(len(paired))]++
		}
		for k, s := range measures(paired, times, n) {
			draws[k] = append(draws[k], s)
		}
	}
	c.MIoU, c.PixelAccuracy = difference(whole[n], draws[n]), difference(whole[n+1], draws[n+1])
	if whole[n+2].defined() {
		d := difference(whole[n+2], draws[n+2])
		c.BoundaryF = &d
	}
	for k, name := range a.Classes {
		if whole[k].defined() {
			c.PerClass[name] = difference(whole[k], draws[k])
		}
	}
	return c, nil
}

func compared(r *Report) Compared {
	return Compared{Model: r.Model, Protocol: r.Protocol, Background: r.Background, MIoU: r.MIoU, Command: r.Command}
}

// pairUp puts the photos of two reports beside each other.
func pairUp(a, b []ImageResult) ([][2]ImageResult, error) {
	other := map[string]ImageResult{}
	for _, im := range b {
		other[im.ID] = im
	}
	var list [][2]ImageResult
	for _, im := range a {
		second, ok := other[im.ID]
		if !ok {
			return nil, fmt.Errorf("%w: photo %.80q is in the first report alone: measure both on the same photos", ErrReports, im.ID)
		}
		list = append(list, [2]ImageResult{im, second})
	}
	if len(a) != len(b) {
		return nil, fmt.Errorf("%w: %d photos against %d: measure both on the same photos", ErrReports, len(a), len(b))
	}
	return list, nil
}

// sides are a measure of both reports.
type sides [2]float64

func (s sides) defined() bool { return !math.IsNaN(s[0]) && !math.IsNaN(s[1]) }

// measures are each class's IoU, mIoU, pixel accuracy and the boundary F-score of
// photos that count so many times.
func measures(paired [][2]ImageResult, times []int64, classes int) []sides {
	out := make([]sides, classes+3)
	for side := range 2 {
		areas, boundaries := make([]Areas, classes), make([]BoundaryCounts, classes)
		for i, p := range paired {
			if times[i] == 0 {
				continue
			}
			p[side].Classes.addTo(areas, times[i])
			for _, b := range p[side].Boundaries {
				t := times[i]
				boundaries[b[0]].add(BoundaryCounts{t * b[1], t * b[2], t * b[3], t * b[4]})
			}
		}
		m := MetricsOf(areas)
		for c, iou := range m.IoU {
			out[c][side] = iou
		}
		var f mean
		for _, b := range boundaries {
			if v := b.F(); !math.IsNaN(v) {
				f.add(v)
			}
		}
		out[classes][side], out[classes+1][side], out[classes+2][side] = m.Mean, m.Accuracy, f.value()
	}
	return out
}

// difference sums up resamples; those without a value are left out.
func difference(whole sides, draws []sides) Difference {
	var list []float64
	better := 0
	for _, s := range draws {
		if s.defined() {
			list = append(list, s[1]-s[0])
			if s[1] > s[0] {
				better++
			}
		}
	}
	d := Difference{A: points(whole[0]), B: points(whole[1]), Difference: points(whole[1] - whole[0])}
	if len(list) == 0 {
		d.Low, d.High = d.Difference, d.Difference
		return d
	}
	slices.Sort(list)
	d.Low, d.High = points(quantile(list, 0.025)), points(quantile(list, 0.975))
	d.Better = round(float64(better)/float64(len(list)), 4)
	return d
}

func points(share float64) float64 { return round(100*share, 2) }

// quantile interpolates linearly in a sorted list.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// WriteText writes the comparison as a table, the largest differences first.
func (c *Comparison) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tA\tB\tB − A\t95 % interval\t\t")
	row := func(name string, d Difference) {
		mark := ""
		if !d.Clear() {
			mark = "may be chance"
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%+.2f\t%+.2f … %+.2f\t%s\t\n", name, d.A, d.B, d.Difference, d.Low, d.High, mark)
	}
	var names []string
	for _, name := range c.Classes {
		if _, ok := c.PerClass[name]; ok {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(x, y string) int {
		a, b := math.Abs(c.PerClass[x].Difference), math.Abs(c.PerClass[y].Difference)
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	for _, name := range names {
		row(name, c.PerClass[name])
	}
	row("mIoU", c.MIoU)
	row("pixel accuracy", c.PixelAccuracy)
	if c.BoundaryF != nil {
		row("boundary F", *c.BoundaryF)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	side := func(s Compared) string {
		return fmt.Sprintf("%s (sha256 %.12s), protocol %s, background %s", s.Model.Name, s.Model.SHA256, s.Protocol, s.Background)
	}
	_, err := fmt.Fprintf(w, "A: %s\nB: %s\ndataset %s, %d photos, %d resamples of them, seed %d\n", side(c.A), side(c.B), c.Dataset, c.Images, c.Samples, c.Seed)
	return err
}
