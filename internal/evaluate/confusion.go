package evaluate

import (
	"errors"
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/bench"
)

// ErrSize is wrapped where truth and prediction do not have the same pixels.
var ErrSize = errors.New("truth and prediction differ in size")

// Confusion counts pixels by true and predicted class over any number of
// pictures. Pixels with truth [bench.Ignore] do not count, whatever was
// predicted there.
type Confusion struct {
	classes int
	counts  []int64 // [truth][prediction]
}

// NewConfusion makes an empty matrix for 1 to 255 classes.
func NewConfusion(classes int) *Confusion {
	return &Confusion{classes: classes, counts: make([]int64, classes*classes)}
}

// Add counts one picture: a label a pixel each, predictions below the number of
// classes.
func (c *Confusion) Add(truth, prediction []uint8) error {
	if len(truth) != len(prediction) {
		return fmt.Errorf("%w: %d and %d pixels", ErrSize, len(truth), len(prediction))
	}
	var table [256][256]int32 // at most 50 million pixels a picture
	for i, t := range truth {
		table[t][prediction[i]]++
	}
	for t := range table {
		if t == bench.Ignore {
			continue
		}
		for p, n := range table[t] {
			if n == 0 {
				continue
			}
			if t >= c.classes || p >= c.classes {
				return fmt.Errorf("truth %d, prediction %d: there are %d classes", t, p, c.classes)
			}
			c.counts[t*c.classes+p] += int64(n)
		}
	}
	return nil
}

// Merge adds the counts of another matrix of as many classes.
func (c *Confusion) Merge(other *Confusion) {
	for i, n := range other.counts {
		c.counts[i] += n
	}
}

// At returns how many pixels of class truth were predicted as prediction.
func (c *Confusion) At(truth, prediction int) int64 { return c.counts[truth*c.classes+prediction] }

// Areas are what the metrics of one class are made of, in pixels.
type Areas struct {
	// Intersection is where truth and prediction agree, Predicted and Truth
	// what each has in all.
	Intersection, Predicted, Truth int64
}

// Union is the pixels that truth or prediction has.
func (a Areas) Union() int64 { return a.Predicted + a.Truth - a.Intersection }

// IoU is intersection over union, 0 to 1, NaN where the union is empty.
func (a Areas) IoU() float64 { return float64(a.Intersection) / float64(a.Union()) }

// Areas returns the areas of each class.
func (c *Confusion) Areas() []Areas {
	areas := make([]Areas, c.classes)
	for t := range c.classes {
		for p := range c.classes {
			n := c.At(t, p)
			areas[t].Truth += n
			areas[p].Predicted += n
			if t == p {
				areas[t].Intersection = n
			}
		}
	}
	return areas
}

// Metrics sum up a confusion matrix. Shares are 0 to 1.
type Metrics struct {
	// IoU of each class; NaN where neither truth nor prediction has a pixel.
	IoU []float64
	// Recall of each class: the share of its pixels that were found; NaN for an
	// absent class.
	Recall []float64
	// Mean is the mean IoU over the classes whose IoU is defined; a class
	// without true pixels counts with 0 as soon as one pixel is predicted as
	// it. This is mmsegmentation's rule, by which GroupViT was measured.
	Mean float64
	// MeanPresent is the mean IoU over the classes with true pixels.
	MeanPresent float64
	// Accuracy is the share of all pixels that have the right class.
	Accuracy float64
	// Pixels is how many counted.
	Pixels int64
}

// Metrics computes the metrics; where nothing was counted they are NaN.
func (c *Confusion) Metrics() Metrics { return MetricsOf(c.Areas()) }

// MetricsOf computes the metrics of classes with such areas, which may be sums
// over any number of pictures.
func MetricsOf(areas []Areas) Metrics {
	var m Metrics
	var right int64
	var defined, present mean
	for _, a := range areas {
		iou := a.IoU()
		m.IoU = append(m.IoU, iou)
		m.Recall = append(m.Recall, float64(a.Intersection)/float64(a.Truth))
		if a.Union() > 0 {
			defined.add(iou)
		}
		if a.Truth > 0 {
			present.add(iou)
		}
		right += a.Intersection
		m.Pixels += a.Truth
	}
	m.Mean, m.MeanPresent = defined.value(), present.value()
	m.Accuracy = float64(right) / float64(m.Pixels)
	return m
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) { m.sum += v; m.n++ }

func (m *mean) value() float64 { return m.sum / float64(m.n) }

// percent is a share in percent, rounded to two digits as mmsegmentation does;
// nil stands for an undefined share.
func percent(share float64) *float64 {
	if math.IsNaN(share) {
		return nil
	}
	p := math.Round(share*1e4) / 100
	return &p
}
