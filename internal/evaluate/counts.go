package evaluate

import "encoding/json"

// ImageResult is what was counted on one photo: enough to make every number of a
// report again for any choice of photos.
type ImageResult struct {
	ID string `json:"id"`
	// Classes lists, for each class that truth or prediction has: class number,
	// intersection, predicted and true pixels.
	Classes ClassAreas `json:"classes"`
	// Boundaries lists, for each class with a boundary: class number, predicted
	// boundary pixels near a true one, all predicted ones, true ones near a
	// predicted one, all true ones.
	Boundaries [][5]int64 `json:"boundaries,omitempty"`
}

// ClassAreas are areas of the classes that one photo has.
type ClassAreas [][4]int64

// areasOf keeps the classes that truth or prediction has.
func areasOf(areas []Areas) ClassAreas {
	list := ClassAreas{}
	for class, a := range areas {
		if a.Union() > 0 {
			list = append(list, [4]int64{int64(class), a.Intersection, a.Predicted, a.Truth})
		}
	}
	return list
}

// addTo adds the photo's areas, times times, to sums by class.
func (l ClassAreas) addTo(sum []Areas, times int64) {
	for _, c := range l {
		a := &sum[c[0]]
		a.Intersection += times * c[1]
		a.Predicted += times * c[2]
		a.Truth += times * c[3]
	}
}

// fits says whether every class is below n.
func (l ClassAreas) fits(n int) bool {
	for _, c := range l {
		if c[0] < 0 || c[0] >= int64(n) || c[1] < 0 || c[2] < c[1] || c[3] < c[1] {
			return false
		}
	}
	return true
}

// mean is the mean IoU over the photo's own classes.
func (l ClassAreas) mean() float64 {
	var m mean
	for _, c := range l {
		m.add(Areas{c[1], c[2], c[3]}.IoU())
	}
	return m.value()
}

// imageCounts is what is counted on one photo, with all thresholds.
type imageCounts struct {
	ID         string       `json:"id"`
	Maps       []ClassAreas `json:"maps"` // by threshold
	Boundaries [][5]int64   `json:"boundaries"`
	// About is set on the first photo of a run: what the predictor told after it.
	About *About `json:"about,omitempty"`
}

func boundariesOf(counts []BoundaryCounts) [][5]int64 {
	list := [][5]int64{}
	for class, b := range counts {
		if b.Predicted+b.True > 0 {
			list = append(list, [5]int64{int64(class), b.PredictedNear, b.Predicted, b.TrueNear, b.True})
		}
	}
	return list
}

func sumBoundaries(images []ImageResult, classes int) []BoundaryCounts {
	sum := make([]BoundaryCounts, classes)
	for _, im := range images {
		for _, b := range im.Boundaries {
			sum[b[0]].add(BoundaryCounts{b[1], b[2], b[3], b[4]})
		}
	}
	return sum
}

// Encode writes the report as JSON for a file: indented, but a line a photo.
func (r *Report) Encode() ([]byte, error) {
	short := *r
	short.PerImage = nil
	text, err := json.MarshalIndent(&short, "", "  ")
	if err != nil || len(r.PerImage) == 0 {
		return append(text, '\n'), err
	}
	text = append(text[:len(text)-len("\n}")], ",\n  \"per_image\": ["...)
	for i, im := range r.PerImage {
		line, err := json.Marshal(im)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, "\n    "...), line...)
	}
	return append(text, "\n  ]\n}\n"...), nil
}
