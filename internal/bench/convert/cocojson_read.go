package convert

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/mask"
)

// instances are COCO's, as far as masks need them, as this and other programs write
// them.
type instances struct {
	Images      []cocoImage
	Categories  []category
	Annotations []instance
}

type cocoImage struct {
	ID            identifier
	FileName      string `json:"file_name"`
	Width, Height number
}

type category struct {
	ID   identifier
	Name string
}

// instance is one object: polygons, or run lengths for crowds.
type instance struct {
	ImageID      identifier `json:"image_id"`
	CategoryID   identifier `json:"category_id"`
	Area         number
	Box          []number `json:"bbox"` // x, y, width, height
	Segmentation segmentation
}

// identifier is a number or a text; 1, 1.0 and "1" are the same.
type identifier string

// UnmarshalJSON reads both forms.
func (i *identifier) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*i = identifier(text)
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		return fmt.Errorf("%.40s is no id", b)
	}
	*i = identifier(strconv.FormatInt(int64(v), 10))
	return nil
}

// number is a number, also in quotes; anything else is 0.
type number float64

// UnmarshalJSON reads all forms.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	*n = number(v)
	return nil
}

// pixels is the number as a size, −1 where it is none.
func (n number) pixels() int {
	if n != number(math.Trunc(float64(n))) || n < 0 || n > 1<<30 {
		return -1
	}
	return int(n)
}

// segmentation is a list of polygons, each x, y, x, y, …, or run lengths.
type segmentation struct {
	polygons [][]float64
	runs     *mask.RLE
	broken   error // what is there and cannot be read
}

// UnmarshalJSON reads both forms, polygons also as lists of points, or as one list.
func (s *segmentation) UnmarshalJSON(b []byte) error {
	*s = segmentation{}
	if len(b) > 0 && b[0] == '{' {
		s.runs = &mask.RLE{}
		if s.broken = json.Unmarshal(b, s.runs); s.broken != nil {
			s.runs = nil
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil { // null, or some exporters' empty text
		if text := string(b); text != "null" && text != `""` {
			s.broken = fmt.Errorf("a segmentation of %.40s", b)
		}
		return nil
	}
	s.polygons, s.broken = polygonsOf(list)
	return nil
}

// polygonsOf reads a list of polygons: of numbers, of points, or one polygon alone.
func polygonsOf(list []json.RawMessage) ([][]float64, error) {
	var flat []float64
	var polygons [][]float64
	points := true // each element is one point
	for _, e := range list {
		var v float64
		if json.Unmarshal(e, &v) == nil {
			flat = append(flat, v)
			continue
		}
		p, err := flatten(e)
		if err != nil {
			return polygons, err
		}
		points = points && len(p) == 2
		polygons = append(polygons, p)
	}
	switch {
	case len(flat) > 0 && len(polygons) > 0:
		return polygons, errors.New("polygons and numbers beside each other")
	case len(flat) > 0:
		return [][]float64{flat}, nil
	case points && len(polygons) > 0:
		return [][]float64{slices.Concat(polygons...)}, nil
	}
	return polygons, nil
}

// flatten reads x, y, x, y, … or points.
func flatten(b []byte) ([]float64, error) {
	var numbers []float64
	if json.Unmarshal(b, &numbers) == nil {
		return numbers, nil
	}
	var points [][]float64
	if json.Unmarshal(b, &points) != nil {
		return nil, fmt.Errorf("a polygon of %.40s", b)
	}
	return slices.Concat(points...), nil
}

// settle leaves out what cannot be drawn into an image and says why, nil where all can.
func (s *segmentation) settle(width, height int) (why error) {
	why = s.broken
	if s.runs != nil {
		err := s.runs.Validate()
		if err == nil && (s.runs.Width != width || s.runs.Height != height) {
			err = fmt.Errorf("run lengths of %d×%d pixels in an image of %d×%d", s.runs.Width, s.runs.Height, width, height)
		}
		if err != nil {
			s.runs, why = nil, err
		}
	}
	s.polygons = slices.DeleteFunc(s.polygons, func(p []float64) bool {
		err := checkPolygon(p)
		why = cmp.Or(err, why)
		return err != nil
	})
	return why
}

// hasMask reports whether it says which pixels are the object's: detectors' files have
// boxes alone.
func (a *instance) hasMask() bool {
	return a.Segmentation.runs != nil || len(a.Segmentation.polygons) > 0
}

// parseInstances reads the annotations.
func parseInstances(text []byte) (*instances, error) {
	var in instances
	if err := textio.UnmarshalJSON(text, &in); err != nil {
		if strings.HasPrefix(strings.TrimSpace(string(textio.Decode(text[:min(len(text), 64)]))), "[") {
			err = errors.New("a list, as of COCO's results, which name no images: give the file of the instances")
		}
		return nil, fmt.Errorf("%w: no COCO instances: %w", ErrInput, err)
	}
	if len(in.Categories) == 0 || len(in.Categories) > 254 || len(in.Images) == 0 {
		return nil, fmt.Errorf("%w: %d categories and %d images: masks hold 1 to 254 classes", ErrInput, len(in.Categories), len(in.Images))
	}
	slices.SortStableFunc(in.Categories, func(a, b category) int { return a.ID.compare(b.ID) })
	for i := 1; i < len(in.Categories); i++ {
		if a, b := in.Categories[i-1], in.Categories[i]; a.ID == b.ID && !strings.EqualFold(a.Name, b.Name) {
			return nil, fmt.Errorf("%w: the categories %.80q and %.80q have the id %.40s both: which objects are whose is not known", ErrInput, a.Name, b.Name, a.ID)
		}
	}
	return &in, nil
}

// compare orders numbers by their values, before texts.
func (i identifier) compare(other identifier) int {
	a, errA := strconv.ParseInt(string(i), 10, 64)
	b, errB := strconv.ParseInt(string(other), 10, 64)
	switch {
	case errA == nil && errB == nil:
		return cmp.Compare(a, b)
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return cmp.Compare(i, other)
}
