package mask

// COCO is the layout of COCO's instance files, as pycocotools and most
// annotation tools read it.
type COCO struct {
	Images      []COCOImage      `json:"images"`
	Annotations []COCOAnnotation `json:"annotations"`
	Categories  []COCOCategory   `json:"categories"`
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
	ID       int `json:"id"`
	Image    int `json:"image_id"`
	Category int `json:"category_id"`
	// Segmentation holds the exact pixels, holes and separate parts included,
	// which COCO's polygons cannot.
	Segmentation RLE `json:"segmentation"`
	Area         int `json:"area"`
	// Box is [x, y, width, height].
	Box   [4]int `json:"bbox"`
	Crowd int    `json:"iscrowd"`
}

// COCOCategory is a label.
type COCOCategory struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// COCO returns the map as a COCO file of one photo. labels[i] is the name of
// label i+1; all of them become categories, those with pixels annotations.
// Labels beyond the names are left out.
func (m *Map) COCO(file string, labels []string) COCO {
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
		c.Annotations = append(c.Annotations, COCOAnnotation{
			ID: len(c.Annotations) + 1, Image: 1, Category: id, Segmentation: m.RLE(s.Label), Area: s.Pixels,
			Box: [4]int{s.Box.Min.X, s.Box.Min.Y, s.Box.Dx(), s.Box.Dy()},
		})
	}
	return c
}
