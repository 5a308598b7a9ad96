package labelstudio

import (
	"fmt"
	"math"
	"strings"

	"github.com/groupvit/groupvit"
)

// Region is one region as Label Studio's editor takes it.
type Region struct {
	ID   string `json:"id"`
	From string `json:"from_name"`
	To   string `json:"to_name"`
	// Type is the control's kind in lower case.
	Type string `json:"type"`
	// Width and Height are the photo's, in pixels.
	Width    int            `json:"original_width"`
	Height   int            `json:"original_height"`
	Rotation int            `json:"image_rotation"`
	Value    map[string]any `json:"value"`
	Score    float64        `json:"score"`
}

// piece is a segment that a control has a label for.
type piece struct {
	control control
	name    string
	found   *groupvit.Segmentation
	segment groupvit.Segment
}

// shapes make the regions of each kind of control.
var shapes = map[string]func(piece) []Region{
	"BrushLabels": brushRegions, "RectangleLabels": boxRegions, "PolygonLabels": polygonRegions,
	"BitmaskLabels": bitmaskRegions,
}

func (p piece) region(part int, value map[string]any) Region {
	kind := strings.ToLower(p.control.kind)
	value[kind] = []string{p.name}
	return Region{
		ID: fmt.Sprintf("%s-%d-%d", p.control.from, p.segment.ID, part), From: p.control.from, To: p.control.to[0], Type: kind,
		Width: p.found.Map.Width, Height: p.found.Map.Height, Value: value, Score: p.segment.Score,
	}
}

func brushRegions(p piece) []Region {
	return []Region{p.region(1, map[string]any{"format": "rle", "rle": newBrush(p.found.Map, uint16(p.segment.ID))})}
}

// boxRegions is in percent of the photo, as all that follows.
func boxRegions(p piece) []Region {
	x, y := percent(p.found.Map.Width), percent(p.found.Map.Height)
	box := p.segment.Box
	return []Region{p.region(1, map[string]any{
		"x": x(box[0]), "y": y(box[1]), "width": x(box[2] - box[0]), "height": y(box[3] - box[1]), "rotation": 0,
	})}
}

// polygonRegions has one polygon a part; Label Studio's know no holes.
func polygonRegions(p piece) []Region {
	var list []Region
	x, y := percent(p.found.Map.Width), percent(p.found.Map.Height)
	for i, polygon := range p.found.Map.Polygons(uint16(p.segment.ID)) {
		points := make([][2]float64, len(polygon.Outer))
		for k, at := range polygon.Outer {
			points[k] = [2]float64{x(at.X), y(at.Y)}
		}
		list = append(list, p.region(i+1, map[string]any{"points": points, "closed": true}))
	}
	return list
}

func percent(side int) func(int) float64 {
	return func(v int) float64 { return math.Round(float64(v)/float64(side)*1e6) / 1e4 }
}

// meanScore is the mean over all pixels that have a label.
func meanScore(found *groupvit.Segmentation) float64 {
	var sum float64
	pixels := 0
	for _, s := range found.Segments {
		sum += s.Score * float64(s.Pixels)
		pixels += s.Pixels
	}
	return sum / float64(max(pixels, 1))
}
