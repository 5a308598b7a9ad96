package evaluate

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// hashed is r(k, j) of tools/reference/formula.py, in [-0.5, 0.5).
func hashed(k, j uint32) float64 {
	u := k*2654435761 + j*40503 + 1
	u ^= u >> 15
	u *= 2246822519
	u ^= u >> 13
	return float64(u)/(1<<32) - 0.5
}

// numpyCase is one case of testdata/miou.json; tools/reference/miou.py states
// the formula of its masks.
type numpyCase struct {
	Name               string
	Reduce             bool // value 0 is ignored, others are one less
	Classes            int
	Sizes              [][2]int
	Present, Predicted []int
	IoU                []*float64
	MIoU               float64
	PixelAccuracy      float64 `json:"pixel_accuracy"`
	Counted            int64
}

func (c numpyCase) masks(p uint32, n int) (truth, prediction []uint8) {
	among := func(r float64, allowed []int, classes int) uint8 {
		if class := int((r + 0.5) * float64(classes)); slices.Contains(allowed, class) {
			return uint8(class)
		}
		return uint8(allowed[0])
	}
	values := c.Classes
	if c.Reduce {
		values++
	}
	for i := range n {
		j := uint32(i)
		t := among(hashed(600000+p, j/5), c.Present, values)
		guess := t
		if c.Reduce {
			guess-- // 0 becomes 255
		}
		if hashed(620000+p, j) >= 0.2 || guess == 255 {
			guess = among(hashed(630000+p, j), c.Predicted, c.Classes)
		}
		if hashed(610000+p, j) > 0.4 {
			t = 255
		}
		truth, prediction = append(truth, t), append(prediction, guess)
	}
	return truth, prediction
}

func readNumpyCases(t *testing.T, reduce bool) []numpyCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "miou.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []numpyCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(file.Cases, func(c numpyCase) bool { return c.Reduce != reduce })
}

func TestMetricsAsNumPy(t *testing.T) {
	for _, c := range readNumpyCases(t, false) {
		t.Run(c.Name, func(t *testing.T) {
			matrix := NewConfusion(c.Classes)
			for p, size := range c.Sizes {
				truth, prediction := c.masks(uint32(p), size[0]*size[1])
				if err := matrix.Add(truth, prediction); err != nil {
					t.Fatal(err)
				}
			}
			m := matrix.Metrics()
			if m.Pixels != c.Counted {
				t.Errorf("%d pixels counted, want %d", m.Pixels, c.Counted)
			}
			for i, want := range c.IoU {
				switch {
				case want == nil && !math.IsNaN(m.IoU[i]):
					t.Errorf("class %d occurs nowhere and has IoU %g", i, m.IoU[i])
				case want != nil && !(math.Abs(m.IoU[i]-*want) < 1e-12):
					t.Errorf("class %d has IoU %g, want %g", i, m.IoU[i], *want)
				}
			}
			if math.Abs(m.Mean-c.MIoU) > 1e-12 || math.Abs(m.Accuracy-c.PixelAccuracy) > 1e-12 {
				t.Errorf("mean %g, accuracy %g, want %g and %g", m.Mean, m.Accuracy, c.MIoU, c.PixelAccuracy)
			}
		})
	}
}
