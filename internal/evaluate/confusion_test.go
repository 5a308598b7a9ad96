package evaluate

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// slow computes the metrics from their definition, class by class and pixel by
// pixel, with no matrix.
func slow(truths, predictions [][]uint8, classes int) (iou, recall []float64, mean, present, accuracy float64) {
	defined, occurring, pixels, right := 0, 0, 0, 0
	for class := range classes {
		intersection, union, truth := 0, 0, 0
		for i := range truths {
			for at, t := range truths[i] {
				if t == 255 {
					continue
				}
				p := predictions[i][at]
				inTruth, inPrediction := int(t) == class, int(p) == class
				if inTruth && inPrediction {
					intersection++
				}
				if inTruth || inPrediction {
					union++
				}
				if inTruth {
					truth++
				}
			}
		}
		pixels += truth
		right += intersection
		iou = append(iou, math.NaN())
		recall = append(recall, math.NaN())
		if union > 0 {
			iou[class] = float64(intersection) / float64(union)
			mean += iou[class]
			defined++
		}
		if truth > 0 {
			recall[class] = float64(intersection) / float64(truth)
			present += iou[class]
			occurring++
		}
	}
	return iou, recall, mean / float64(defined), present / float64(occurring), float64(right) / float64(pixels)
}

func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12
}

func TestMetricsAgreeWithTheDefinition(t *testing.T) {
	for _, test := range []struct {
		name                  string
		classes, images, size int
		truth, prediction     []uint8 // values drawn from
	}{
		{"plain", 3, 4, 50, []uint8{0, 1, 2}, []uint8{0, 1, 2}},
		{"ignored pixels", 3, 4, 50, []uint8{0, 1, 2, 255, 255}, []uint8{0, 1, 2}},
		{"class without truth, predicted", 4, 4, 50, []uint8{0, 1, 2, 255}, []uint8{0, 1, 2, 3}},
		{"class without truth, not predicted", 4, 4, 50, []uint8{0, 1, 2, 255}, []uint8{0, 1}},
		{"class never predicted", 3, 4, 50, []uint8{0, 1, 2}, []uint8{0}},
		{"nothing right", 2, 2, 20, []uint8{0}, []uint8{1}},
		{"all ignored", 2, 2, 20, []uint8{255}, []uint8{0, 1}},
		{"one class", 1, 1, 10, []uint8{0}, []uint8{0}},
		{"255 classes", 255, 3, 4000, many(255), many(255)},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			draw := func(from []uint8) []uint8 {
				values := make([]uint8, test.size)
				for i := range values {
					values[i] = from[r.IntN(len(from))]
				}
				return values
			}
			var truths, predictions [][]uint8
			c, half := NewConfusion(test.classes), NewConfusion(test.classes)
			for i := range test.images {
				truths, predictions = append(truths, draw(test.truth)), append(predictions, draw(test.prediction))
				to := c
				if i%2 == 1 {
					to = half
				}
				if err := to.Add(truths[i], predictions[i]); err != nil {
					t.Fatal(err)
				}
			}
			c.Merge(half)
			m := c.Metrics()
			iou, recall, mean, present, accuracy := slow(truths, predictions, test.classes)
			for class := range iou {
				if !near(m.IoU[class], iou[class]) || !near(m.Recall[class], recall[class]) {
					t.Errorf("class %d: IoU %v, recall %v, want %v, %v", class, m.IoU[class], m.Recall[class], iou[class], recall[class])
				}
			}
			if !near(m.Mean, mean) || !near(m.MeanPresent, present) || !near(m.Accuracy, accuracy) {
				t.Errorf("mean %v, of present %v, accuracy %v, want %v, %v, %v", m.Mean, m.MeanPresent, m.Accuracy, mean, present, accuracy)
			}
		})
	}
}

func many(n int) []uint8 {
	values := make([]uint8, n)
	for i := range values {
		values[i] = uint8(i)
	}
	return values
}

// TestMetricsByHand is small enough to check with a pencil.
func TestMetricsByHand(t *testing.T) {
	c := NewConfusion(4)
	//                0  0  0  1  1  ign  2
	truth := []uint8{0, 0, 0, 1, 1, 255, 2}
	prediction := []uint8{0, 0, 1, 1, 0, 3, 0}
	if err := c.Add(truth, prediction); err != nil {
		t.Fatal(err)
	}
	m := c.Metrics()
	// 0: I 2, P 4, T 3, U 5; 1: I 1, P 2, T 2, U 3; 2: I 0, U 1; 3: only
	// predicted on an ignored pixel, so it does not exist.
	for class, want := range []float64{2. / 5, 1. / 3, 0, math.NaN()} {
		if !near(m.IoU[class], want) {
			t.Errorf("IoU of class %d is %v, want %v", class, m.IoU[class], want)
		}
	}
	if want := (2./5 + 1./3 + 0) / 3; !near(m.Mean, want) {
		t.Errorf("mean %v, want %v", m.Mean, want)
	}
	if !near(m.Accuracy, 3./6) || m.Pixels != 6 {
		t.Errorf("accuracy %v of %d pixels, want 1/2 of 6", m.Accuracy, m.Pixels)
	}
}

func TestConfusionErrors(t *testing.T) {
	c := NewConfusion(2)
	if err := c.Add([]uint8{0, 1}, []uint8{0}); !errors.Is(err, ErrSize) {
		t.Errorf("other size: %v", err)
	}
	if err := c.Add([]uint8{0}, []uint8{2}); err == nil {
		t.Error("a predicted class that does not exist is no error")
	}
	if err := c.Add([]uint8{2}, []uint8{0}); err == nil {
		t.Error("a true class that does not exist is no error")
	}
}

func BenchmarkAdd(b *testing.B) {
	truth, prediction := make([]uint8, 500*375), make([]uint8, 500*375)
	for i := range truth {
		truth[i], prediction[i] = uint8(i/5000%21), uint8(i/7000%21)
	}
	c := NewConfusion(21)
	b.SetBytes(int64(len(truth)))
	for range b.N {
		c.Add(truth, prediction)
	}
}
