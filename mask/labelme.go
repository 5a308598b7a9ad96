package mask

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// labelMe is the file of LabelMe, the annotation tool.
type labelMe struct {
	Version   string         `json:"version"`
	Flags     map[string]any `json:"flags"`
	Shapes    []labelMeShape `json:"shapes"`
	ImagePath string         `json:"imagePath"`
	ImageData *string        `json:"imageData"`
	Height    int            `json:"imageHeight"`
	Width     int            `json:"imageWidth"`
}

type labelMeShape struct {
	Label   string         `json:"label"`
	Points  [][2]float64   `json:"points"`
	GroupID *int           `json:"group_id"`
	Type    string         `json:"shape_type"`
	Flags   map[string]any `json:"flags"`
}

// labelMeVersion is the one whose layout this is; older and newer ones read it.
const labelMeVersion = "5.5.0"

// WriteLabelMe writes the map as LabelMe's JSON for a photo: a polygon for each
// 4-connected region, with its label's name, points at corners of pixels. Holes hang
// on slits of no width ([Polygon.Ring]). labels[i] is the name of label i+1; labels
// beyond are left out. The photo itself stays where it is.
func (m *Map) WriteLabelMe(w io.Writer, photo string, labels []string) error {
	if err := m.Validate(); err != nil {
		return err
	}
	file := labelMe{
		Version: labelMeVersion, Flags: map[string]any{}, Shapes: []labelMeShape{},
		ImagePath: photo, Height: m.Height, Width: m.Width,
	}
	for _, s := range m.Stats(len(labels))[1:] {
		if s.Pixels == 0 {
			continue
		}
		for _, p := range m.Polygons(s.Label) {
			shape := labelMeShape{Label: labels[s.Label-1], Type: "polygon", Flags: map[string]any{}}
			for _, q := range p.Ring() {
				shape.Points = append(shape.Points, [2]float64{float64(q.X), float64(q.Y)})
			}
			file.Shapes = append(file.Shapes, shape)
		}
	}
	return json.NewEncoder(w).Encode(file)
}

// ReadLabelMe reads LabelMe's polygons and rectangles. Label i of the map is
// labels[i-1]; with nil labels they are the file's names in the order in which they
// come. It returns the map and its labels; later shapes cover earlier ones. Errors
// wrap ErrFormat, ErrSize or ErrTooLarge: other shapes, and names that are not among
// labels, are errors.
func ReadLabelMe(r io.Reader, labels []string) (*Map, []string, error) {
	var file labelMe
	if err := readJSON(r, "labelme", &file); err != nil {
		return nil, nil, err
	}
	m, err := newRead(file.Width, file.Height)
	if err != nil {
		return nil, nil, err
	}
	known, f := slices.Clone(labels), filler{m: m}
	numbers := map[string]int{}
	for i, l := range known {
		numbers[l] = i + 1
	}
	for i, s := range file.Shapes {
		number, ok := numbers[s.Label]
		switch {
		case !ok && labels != nil:
			return nil, nil, fmt.Errorf("labelme, shape %d: %w: label %.40q is not among those asked for", i, ErrFormat, s.Label)
		case !ok && len(known) == 1<<16-1:
			return nil, nil, fmt.Errorf("labelme: %w: more than 65535 labels", ErrFormat)
		case !ok:
			known = append(known, s.Label)
			number = len(known)
			numbers[s.Label] = number
		}
		ring, err := s.ring()
		if err == nil {
			err = f.fill([][]vertex{ring}, uint16(number))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("labelme, shape %d: %w", i, err)
		}
	}
	return m, known, nil
}

// ring is the outline of a shape.
func (s labelMeShape) ring() ([]vertex, error) {
	switch {
	case (s.Type == "polygon" || s.Type == "") && len(s.Points) >= 3:
		ring := make([]vertex, len(s.Points))
		for i, p := range s.Points {
			ring[i] = vertex{p[0], p[1]}
		}
		return ring, nil
	case s.Type == "rectangle" && len(s.Points) == 2:
		a, b := s.Points[0], s.Points[1]
		return []vertex{{a[0], a[1]}, {b[0], a[1]}, {b[0], b[1]}, {a[0], b[1]}}, nil
	}
	return nil, fmt.Errorf("%w: a shape %.20q of %d points: polygons and rectangles are read", ErrFormat, s.Type, len(s.Points))
}
