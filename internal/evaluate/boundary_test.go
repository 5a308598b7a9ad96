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
		Classes      int
		Sizes        [][2]int
		Counts       [][4]int64
		F            []float64
		InsideCounts [][4]int64 `json:"inside_counts"`
		InsideF      []float64  `json:"inside_f"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	check := func(surroundings bool, counts [][4]int64, f []float64) {
		sum := make([]BoundaryCounts, want.Classes)
		for p, size := range want.Sizes {
			truth, prediction := boundaryPictures(uint32(p), size[0], size[1], want.Classes)
			for c, b := range Boundaries(truth, prediction, size[1], want.Classes, surroundings) {
				sum[c].add(b)
			}
		}
		for c, b := range sum {
			if got := [4]int64{b.PredictedNear, b.Predicted, b.TrueNear, b.True}; got != counts[c] || math.Abs(b.F()-f[c]) > 1e-12 {
				t.Errorf("surroundings known: %v: class %d: %v, F %g, NumPy says %v, %g", surroundings, c, got, b.F(), counts[c], f[c])
			}
		}
	}
	check(true, want.Counts, want.F)
	check(false, want.InsideCounts, want.InsideF)
}

// Two objects with a band of five ignored pixels between them, in surroundings that
// are ignored: the border between them counts, that to the surroundings does not.
func TestBoundariesOfIgnoredSurroundings(t *testing.T) {
	const width, height = 60, 40
	truth, exact := make([]uint8, width*height), make([]uint8, width*height)
	for i := range truth {
		x, y := i%width, i/width
		inside := y >= 8 && y < 32
		truth[i], exact[i] = 255, 1
		switch {
		case inside && x >= 10 && x < 28:
			truth[i] = 0
		case inside && x >= 33 && x < 50:
			truth[i] = 1
		}
		if inside && x >= 10 && x < 31 {
			exact[i] = 0 // up to the middle of the band; beyond the objects anything
		}
	}
	for c, b := range Boundaries(truth, exact, width, 2, false) {
		if b.True == 0 || b.Predicted == 0 || b.F() < 0.99 {
			t.Errorf("class %d: %+v, F %g, want borders and 1", c, b, b.F())
		}
	}
	// One object alone has no border that is known.
	for i := range truth {
		if truth[i] == 1 {
			truth[i] = 255
		}
	}
	for c, b := range Boundaries(truth, exact, width, 2, false) {
		if (b != BoundaryCounts{}) {
			t.Errorf("class %d of an object alone: %+v, want none", c, b)
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
