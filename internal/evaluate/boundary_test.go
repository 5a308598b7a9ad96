package evaluate

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// boundaryPictures are those of tools/reference/boundary.py.
func boundaryPictures(p uint32, height, width, classes int) (truth, prediction []uint8) {
	field := func(stream uint32, size, y, x int) float64 { return hashed(stream+p, uint32(50*(y/size)+x/size)) }
	class := func(v float64) uint8 { return uint8((v + 0.5) * float64(classes)) }
	base := func(y, x int) uint8 { return class(field(800000, 7, y, x)) }
	for y := range height {
		for x := range width {
			t, q := base(y, x), base(min(y+1, height-1), min(x+2, width-1))
			if field(810000, 11, y, x) > 0.4 || x%17 < 3 {
				t = 255
			}
			if field(820000, 9, y, x) > 0.3 {
				q = class(field(830000, 9, y, x))
			}
			truth, prediction = append(truth, t), append(prediction, q)
		}
	}
	return truth, prediction
}

func TestBoundariesAsNumPy(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "boundary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Classes int
		Sizes   [][2]int
		Counts  [][4]int64
		F       []float64
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	sum := make([]BoundaryCounts, want.Classes)
	for p, size := range want.Sizes {
		truth, prediction := boundaryPictures(uint32(p), size[0], size[1], want.Classes)
		for c, b := range Boundaries(truth, prediction, size[1], want.Classes) {
			sum[c].add(b)
		}
	}
	for c, b := range sum {
		if got := [4]int64{b.PredictedNear, b.Predicted, b.TrueNear, b.True}; got != want.Counts[c] || math.Abs(b.F()-want.F[c]) > 1e-12 {
			t.Errorf("class %d: %v, F %g, NumPy says %v, %g", c, got, b.F(), want.Counts[c], want.F[c])
		}
	}
}

func TestBoundaryF(t *testing.T) {
	for name, c := range map[string]struct {
		counts BoundaryCounts
		want   float64
	}{
		"perfect":         {BoundaryCounts{5, 5, 7, 7}, 1},
		"never predicted": {BoundaryCounts{0, 0, 0, 7}, 0},
		"never true":      {BoundaryCounts{0, 5, 0, 0}, 0},
		"nothing near":    {BoundaryCounts{0, 5, 0, 7}, 0},
		"no boundary":     {BoundaryCounts{}, math.NaN()},
		"half and all":    {BoundaryCounts{2, 4, 6, 6}, 2. / 3},
	} {
		if got := c.counts.F(); math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%s: %g, want %g", name, got, c.want)
		}
	}
}
