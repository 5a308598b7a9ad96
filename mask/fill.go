package mask

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/limits"
)

// vertex is a point of a ring, in pixels; whole numbers are corners of pixels.
type vertex struct{ x, y float64 }

// edge is a side of a ring that crosses the middles of rows first … last. It runs
// downwards whichever way the ring goes, so that two edges on each other cross a row
// at exactly the same place and cancel.
type edge struct {
	first, last int
	top, bottom vertex
}

func (e edge) at(y float64) float64 {
	return e.top.x + (y-e.top.y)/(e.bottom.y-e.top.y)*(e.bottom.x-e.top.x)
}

// outline is the edges of rings, and how many rows they cross in all.
type outline struct {
	edges []edge
	rows  int64
}

// add takes a ring in; the last point joins the first.
func (o *outline) add(ring []vertex, height int) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		if p.y > q.y {
			p, q = q, p
		}
		first, last := middle(p.y, height), middle(q.y, height)-1
		if first > last {
			continue
		}
		o.edges = append(o.edges, edge{first, last, p, q})
		o.rows += int64(last - first + 1)
	}
}

// middle is the first row or column whose middle is not before v, within 0 … n.
func middle(v float64, n int) int {
	return int(min(max(math.Ceil(v-0.5), 0), float64(n)))
}

// fill gives the pixels whose middle is inside by the even-odd rule the label, and says
// how many there are. The cost is that of the rows crossed, and of these pixels.
func (o *outline) fill(m *Map, label uint16) (painted int64) {
	slices.SortFunc(o.edges, func(a, b edge) int { return a.first - b.first })
	var active []edge
	var cuts []float64
	rest := o.edges
	for y := 0; y < m.Height && len(rest)+len(active) > 0; y++ {
		for len(rest) > 0 && rest[0].first == y {
			active, rest = append(active, rest[0]), rest[1:]
		}
		cuts = cuts[:0]
		for _, e := range active {
			cuts = append(cuts, e.at(float64(y)+0.5))
		}
		slices.Sort(cuts)
		row := m.Labels[y*m.Width : (y+1)*m.Width]
		for i := 0; i+1 < len(cuts); i += 2 {
			from, to := middle(cuts[i], m.Width), middle(cuts[i+1], m.Width)
			for x := from; x < to; x++ {
				row[x] = label
			}
			painted += int64(max(to-from, 0))
		}
		active = slices.DeleteFunc(active, func(e edge) bool { return e.last == y })
	}
	return painted
}

// rowPixels is how many painted pixels cost what crossing a row does.
const rowPixels = 64

// filler fills polygons of one file into a map, within a bound on what all of them
// may cost.
type filler struct {
	m    *Map
	rows int64
}

// fill fills one polygon, given as all its rings. Errors wrap ErrFormat or
// ErrTooLarge.
func (f *filler) fill(rings [][]vertex, label uint16) error {
	var o outline
	for _, ring := range rings {
		for _, p := range ring {
			if math.IsNaN(p.x+p.y) || max(math.Abs(p.x), math.Abs(p.y)) > 1e9 {
				return fmt.Errorf("polygon: %w: the point (%g, %g)", ErrFormat, p.x, p.y)
			}
		}
		o.add(ring, f.m.Height)
	}
	// A sweep over a map's rows costs time even where nothing is.
	f.rows += o.rows + int64(f.m.Height)/64 + 1
	if err := limits.Check("number of rows that polygons cross", "mask", f.rows, limits.FillRows, "simplify its polygons"); err != nil {
		return err
	}
	f.rows += o.fill(f.m, label) / rowPixels
	return nil
}

// vertices are a ring's points.
func vertices(ring []image.Point) []vertex {
	out := make([]vertex, len(ring))
	for i, p := range ring {
		out[i] = vertex{float64(p.X), float64(p.Y)}
	}
	return out
}

// Ring returns the polygon as one ring, for formats that know no holes: from its first
// point a slit of no width leads to each hole and back. Filled by the even-odd rule it
// is exactly the region, wherever the slits run.
func (p Polygon) Ring() []image.Point {
	out := slices.Clone(p.Outer)
	for _, hole := range p.Holes {
		out = append(append(append(out, p.Outer[0]), hole...), hole[0])
	}
	return out
}
