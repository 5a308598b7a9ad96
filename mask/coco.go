package mask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// COCO is the layout of COCO's instance files, as pycocotools and most
// annotation tools read it.
type COCO struct {
	// Info says where the file comes from; nil leaves it out.
	Info        *COCOInfo        `json:"info,omitempty"`
	Images      []COCOImage      `json:"images"`
	Annotations []COCOAnnotation `json:"annotations"`
	Categories  []COCOCategory   `json:"categories"`
}

// COCOInfo says where a COCO file comes from.
type COCOInfo struct {
	Description string `json:"description,omitempty"`
	Version     string `json:"version,omitempty"`
	URL         string `json:"url,omitempty"`
}

// COCOImage is a photo.
type COCOImage struct {
	ID     int    `json:"id"`
	File   string `json:"file_name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// COCOAnnotation is the region of one label in one photo.
type COCOAnnotation struct {
	ID           int       `json:"id"`
	Image        int       `json:"image_id"`
	Category     int       `json:"category_id"`
	Segmentation COCOShape `json:"segmentation"`
	Area         float64   `json:"area"`
	// Box is [x, y, width, height].
	Box   [4]float64 `json:"bbox"`
	Crowd int        `json:"iscrowd"`
	// Score is how well the region fits its label, as COCO's result files have it;
	// nil leaves it out.
	Score *float64 `json:"score,omitempty"`
}

// COCOShape is a region in one of COCO's two forms: run lengths, or polygons of
// [x0, y0, x1, y1, …] in pixel corners, which together cover it.
type COCOShape struct {
	// RLE is nil where Polygons are given.
	RLE      *RLE
	Polygons [][]float64
}

// COCOCategory is a label.
type COCOCategory struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// COCO returns the map as a COCO file of one photo, regions as run lengths.
// labels[i] is the name of label i+1; all of them become categories, those with pixels
// annotations. Labels beyond the names are left out.
func (m *Map) COCO(file string, labels []string) COCO {
	all := m.RLEs(len(labels))
	return m.coco(file, labels, func(s Stat) COCOShape { return COCOShape{RLE: &all[s.Label-1]} })
}

// COCOPolygons is [Map.COCO] with regions as polygons, one for each 4-connected part,
// holes on slits of no width ([Polygon.Ring]). pycocotools draws exactly the region.
func (m *Map) COCOPolygons(file string, labels []string) COCO {
	return m.coco(file, labels, m.cocoPolygons)
}

func (m *Map) coco(file string, labels []string, shape func(Stat) COCOShape) COCO {
	c := COCO{
		Images:      []COCOImage{{ID: 1, File: file, Width: m.Width, Height: m.Height}},
		Annotations: []COCOAnnotation{}, Categories: []COCOCategory{},
	}
	for i, s := range m.Stats(len(labels))[1:] {
		id := i + 1
		c.Categories = append(c.Categories, COCOCategory{ID: id, Name: labels[i]})
		if s.Pixels == 0 {
			continue
		}
		b := s.Box
		c.Annotations = append(c.Annotations, COCOAnnotation{
			ID: len(c.Annotations) + 1, Image: 1, Category: id, Segmentation: shape(s), Area: float64(s.Pixels),
			Box: [4]float64{float64(b.Min.X), float64(b.Min.Y), float64(b.Dx()), float64(b.Dy())},
		})
	}
	return c
}

// cocoPolygons are a label's regions as COCO writes polygons.
func (m *Map) cocoPolygons(s Stat) COCOShape {
	shape := COCOShape{Polygons: [][]float64{}}
	for _, p := range m.PolygonsIn(s.Box, s.Label) {
		var flat []float64
		for _, q := range p.Ring() {
			flat = append(flat, float64(q.X), float64(q.Y))
		}
		shape.Polygons = append(shape.Polygons, flat)
	}
	return shape
}

// ReadCOCO reads a COCO instance file, at most 256 MiB. Errors wrap ErrFormat, ErrSize
// or ErrTooLarge.
func ReadCOCO(r io.Reader) (*COCO, error) {
	c := &COCO{}
	if err := readJSON(r, "coco", c); err != nil {
		return nil, err
	}
	return c, nil
}

// Map draws the annotations of an image; a pixel's label is its annotation's category,
// and later annotations cover earlier ones. Errors wrap ErrFormat, ErrSize or
// ErrTooLarge.
func (c *COCO) Map(image COCOImage) (*Map, error) {
	m, err := newRead(image.Width, image.Height)
	if err != nil {
		return nil, fmt.Errorf("coco, image %d: %w", image.ID, err)
	}
	f := filler{m: m}
	for _, a := range c.Annotations {
		if a.Image != image.ID {
			continue
		}
		if a.Category < 1 || a.Category > 1<<16-1 {
			return nil, fmt.Errorf("coco, annotation %d: %w: category %d: they go from 1 to 65535", a.ID, ErrFormat, a.Category)
		}
		if err := a.Segmentation.draw(&f, uint16(a.Category)); err != nil {
			return nil, fmt.Errorf("coco, annotation %d: %w", a.ID, err)
		}
	}
	return m, nil
}

// Draw gives the region's pixels the label. The map must have the photo's size. Errors
// wrap ErrFormat, ErrSize or ErrTooLarge.
func (s COCOShape) Draw(m *Map, label uint16) error {
	return s.draw(&filler{m: m}, label)
}

func (s COCOShape) draw(f *filler, label uint16) error {
	if s.RLE != nil {
		return s.RLE.Draw(f.m, label)
	}
	if err := f.m.Validate(); err != nil {
		return err
	}
	for _, flat := range s.Polygons {
		if len(flat) < 6 || len(flat)%2 != 0 {
			return fmt.Errorf("polygon: %w: %d numbers: it takes x and y of three points or more", ErrFormat, len(flat))
		}
		ring := make([]vertex, len(flat)/2)
		for i := range ring {
			ring[i] = vertex{flat[2*i], flat[2*i+1]}
		}
		if err := f.fill([][]vertex{ring}, label); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes run lengths as an object, polygons as a list.
func (s COCOShape) MarshalJSON() ([]byte, error) {
	if s.RLE != nil {
		return json.Marshal(s.RLE)
	}
	if s.Polygons == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(s.Polygons)
}

// UnmarshalJSON reads both forms. Errors wrap ErrFormat, ErrSize or ErrTooLarge.
func (s *COCOShape) UnmarshalJSON(b []byte) error {
	var in COCOShape
	if bytes.HasPrefix(b, []byte("[")) {
		if err := json.Unmarshal(b, &in.Polygons); err != nil {
			return fmt.Errorf("polygon: %w: %w", ErrFormat, err)
		}
	} else {
		in.RLE = &RLE{}
		if err := json.Unmarshal(b, in.RLE); err != nil {
			return err
		}
	}
	*s = in
	return nil
}
