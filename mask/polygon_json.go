package mask

import (
	"encoding/json"
	"fmt"
	"image"
)

// polygonJSON is a polygon's form in JSON: rings of [x, y].
type polygonJSON struct {
	Outer [][2]int   `json:"outer"`
	Holes [][][2]int `json:"holes,omitempty"`
}

// MarshalJSON writes {"outer":[[x,y],…],"holes":[[[x,y],…],…]}; no holes, no
// key.
func (p Polygon) MarshalJSON() ([]byte, error) {
	out := polygonJSON{Outer: pairs(p.Outer)}
	for _, h := range p.Holes {
		out.Holes = append(out.Holes, pairs(h))
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes. Errors wrap ErrFormat.
func (p *Polygon) UnmarshalJSON(b []byte) error {
	var in polygonJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("polygon: %w: %w", ErrFormat, err)
	}
	if len(in.Outer) == 0 {
		return fmt.Errorf("polygon: %w: it has no outer ring", ErrFormat)
	}
	out := Polygon{Outer: points(in.Outer)}
	for _, h := range in.Holes {
		out.Holes = append(out.Holes, points(h))
	}
	*p = out
	return nil
}

func pairs(ring []image.Point) [][2]int {
	out := make([][2]int, len(ring))
	for i, p := range ring {
		out[i] = [2]int{p.X, p.Y}
	}
	return out
}

func points(ring [][2]int) []image.Point {
	out := make([]image.Point, len(ring))
	for i, p := range ring {
		out[i] = image.Pt(p[0], p[1])
	}
	return out
}
