package convert

import (
	"fmt"
	"math"
	"slices"

	"github.com/groupvit/groupvit/mask"
)

// fineness is how many steps COCO's rule makes of a pixel when it walks along a
// polygon.
const fineness = 5

// maxVertices bounds a polygon, maxReach how far outside a picture it goes, and
// maxOutline the steps along it.
const (
	maxVertices = 1 << 16
	maxReach    = 1 << 16
	maxOutline  = 1 << 25
)

// point is a place on the fine grid.
type point struct{ x, y int }

// drawPolygon gives the pixels inside a polygon x, y, x, y, … the label, by the
// rule of COCO's mask API: the outline is walked on a grid five times as fine; where
// it passes the middle of a column of pixels, the column changes from outside to
// inside or back at the next row below.
func drawPolygon(m *mask.Map, polygon []float64, label uint16) error {
	if err := checkPolygon(polygon); err != nil {
		return err
	}
	crossings := crossings(outline(fineCorners(polygon)), m.Width, m.Height)
	// In the order of columns, pixels between an odd and an even crossing are inside.
	slices.Sort(crossings)
	if len(crossings)%2 == 1 {
		crossings = append(crossings, m.Width*m.Height)
	}
	for i := 0; i < len(crossings); i += 2 {
		for k := crossings[i]; k < min(crossings[i+1], m.Width*m.Height); k++ {
			m.Labels[k%m.Height*m.Width+k/m.Height] = label
		}
	}
	return nil
}

// checkPolygon says what keeps a polygon from being drawn.
func checkPolygon(polygon []float64) error {
	if len(polygon)%2 != 0 || len(polygon) < 6 || len(polygon) > 2*maxVertices {
		return fmt.Errorf("a polygon of %d numbers: x and y of 3 to %d points are wanted", len(polygon), maxVertices)
	}
	for _, v := range polygon {
		if !(math.Abs(v) < maxReach) {
			return fmt.Errorf("a polygon goes to %g", v)
		}
	}
	corners := fineCorners(polygon)
	steps := 0
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		if steps += max(a.x-b.x, b.x-a.x, a.y-b.y, b.y-a.y) + 1; steps > maxOutline {
			return fmt.Errorf("a polygon with an outline of more than %d steps", maxOutline)
		}
	}
	return nil
}

// fineCorners are the corners on the fine grid.
func fineCorners(polygon []float64) []point {
	corners := make([]point, len(polygon)/2)
	for i := range corners {
		corners[i] = point{int(fineness*polygon[2*i] + 0.5), int(fineness*polygon[2*i+1] + 0.5)}
	}
	return corners
}

// outline lists the fine points along the closed polygon: a step along the longer
// axis of each edge at a time, always computed from its lower end so that an edge
// that two polygons share is the same in both.
func outline(corners []point) []point {
	var points []point
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		dx, dy := max(a.x-b.x, b.x-a.x), max(a.y-b.y, b.y-a.y)
		wide := dx >= dy
		flip := wide && a.x > b.x || !wide && a.y > b.y
		if flip {
			a, b = b, a
		}
		slope, length := 0., dx
		if !wide {
			length = dy
			slope = float64(b.x-a.x) / float64(dy)
		} else if dx > 0 {
			slope = float64(b.y-a.y) / float64(dx)
		}
		for d := 0; d <= length; d++ {
			t := d
			if flip {
				t = length - d
			}
			if wide {
				points = append(points, point{a.x + t, int(float64(a.y) + slope*float64(t) + 0.5)})
			} else {
				points = append(points, point{int(float64(a.x) + slope*float64(t) + 0.5), a.y + t})
			}
		}
	}
	return points
}

// crossings are where the outline passes the middle of columns, as numbers of
// pixels counted column by column.
func crossings(points []point, width, height int) []int {
	var list []int
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if a.x == b.x {
			continue
		}
		left := b.x - 1
		if b.x < a.x {
			left = b.x
		}
		x := (float64(left)+0.5)/fineness - 0.5
		if x != math.Floor(x) || x < 0 || x > float64(width-1) {
			continue
		}
		y := (float64(min(a.y, b.y))+0.5)/fineness - 0.5
		y = math.Ceil(min(max(y, 0), float64(height)))
		list = append(list, int(x)*height+int(y))
	}
	return list
}
