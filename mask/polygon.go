package mask

import (
	"image"
	"math/bits"
	"slices"
)

// Polygon is one 4-connected region: its outer ring and the rings of its holes.
// Points are corners of pixels, so (0,0) is the upper left corner of the first
// pixel and (Width, Height) the lower right corner of the last. The outer ring
// runs clockwise as seen on the screen, holes run counter-clockwise; the last
// point joins the first. No ring touches itself, and two rings touch at corners
// only, so that geographic software takes the polygon as valid (OGC 06-103r4,
// 6.1.11). Filled with the even-odd rule, the rings give back exactly the region.
type Polygon struct {
	Outer []image.Point
	Holes [][]image.Point
}

// Directions of an edge between pixels; the region is on its right.
const (
	east = iota
	south
	west
	north
	// crossing marks a corner that two borders cross, beside the bits of directions.
	crossing = 1 << 4
)

var steps = [4]image.Point{{X: 1}, {Y: 1}, {X: -1}, {Y: -1}}

// Polygons returns the 4-connected regions of a label, by their first pixel in
// reading order. Regions that touch only at a corner are separate.
func (m *Map) Polygons(label uint16) []Polygon {
	component, n := m.components(label)
	out := make([]Polygon, n)
	edges := m.edges(label)
	for at := range edges {
		for edges[at]&(1<<east) != 0 {
			start := image.Pt(at%(m.Width+1), at/(m.Width+1))
			// The pixel below an edge to the east belongs to the region.
			p := &out[component[start.Y*m.Width+start.X]-1]
			for _, ring := range trace(edges, m.Width+1, start) {
				if clockwise(ring) {
					p.Outer = ring
				} else {
					p.Holes = append(p.Holes, ring)
				}
			}
		}
	}
	return out
}

// PolygonsIn is [Map.Polygons] of the pixels in a box, in the time that the box takes:
// for many labels whose boxes ([Stat], [Component]) are known.
func (m *Map) PolygonsIn(box image.Rectangle, label uint16) []Polygon {
	box = box.Intersect(image.Rect(0, 0, m.Width, m.Height))
	part := &Map{box.Dx(), box.Dy(), make([]uint16, 0, box.Dx()*box.Dy())}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		part.Labels = append(part.Labels, m.Labels[y*m.Width+box.Min.X:y*m.Width+box.Max.X]...)
	}
	polygons := part.Polygons(label)
	for _, p := range polygons {
		for _, ring := range append([][]image.Point{p.Outer}, p.Holes...) {
			for i := range ring {
				ring[i] = ring[i].Add(box.Min)
			}
		}
	}
	return polygons
}

// components numbers the label's 4-connected regions from 1, in reading order.
func (m *Map) components(label uint16) (numbers []int32, n int) {
	numbers = make([]int32, len(m.Labels))
	var stack []int
	for first, l := range m.Labels {
		if l != label || numbers[first] != 0 {
			continue
		}
		n++
		numbers[first] = int32(n)
		stack = append(stack[:0], first)
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x := at % m.Width
			for _, next := range [4]struct {
				ok bool
				at int
			}{{x > 0, at - 1}, {x+1 < m.Width, at + 1}, {at >= m.Width, at - m.Width}, {at+m.Width < len(m.Labels), at + m.Width}} {
				if next.ok && m.Labels[next.at] == label && numbers[next.at] == 0 {
					numbers[next.at] = int32(n)
					stack = append(stack, next.at)
				}
			}
		}
	}
	return numbers, n
}

// edges returns, for every corner, the directions in which a border leaves it,
// one bit each, and whether two borders cross there.
func (m *Map) edges(label uint16) []uint8 {
	w := m.Width + 1
	out := make([]uint8, w*(m.Height+1))
	in := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < m.Width && y < m.Height && m.Labels[y*m.Width+x] == label
	}
	for y := range m.Height {
		for x := range m.Width {
			if !in(x, y) {
				continue
			}
			if !in(x, y-1) {
				out[y*w+x] |= 1 << east
			}
			if !in(x+1, y) {
				out[y*w+x+1] |= 1 << south
			}
			if !in(x, y+1) {
				out[(y+1)*w+x+1] |= 1 << west
			}
			if !in(x-1, y) {
				out[(y+1)*w+x] |= 1 << north
			}
		}
	}
	for i, leaving := range out {
		if bits.OnesCount8(leaving) > 1 {
			out[i] |= crossing
		}
	}
	return out
}

// trace follows the border from start to the east until it would leave start to the
// east again, and removes its edges. Where two borders cross it turns right, which keeps
// regions that touch at a corner apart; start may be such a corner, so that being there
// does not mean being back.
//
// It returns the corners where the border turns, as one ring, or as several where the
// border touches itself: a region that closes around a hole at a corner has both as one
// border. They come apart at that corner. All such contacts are on the border's left, so
// that they nest: a part between two visits of a corner is a ring once what it encloses
// has come off.
func trace(edges []uint8, w int, start image.Point) (rings [][]image.Point) {
	var ring []image.Point
	visited := map[image.Point]int{} // corners where two borders cross, as places in ring
	at, direction, last := start, east, -1
	for {
		if edges[at.Y*w+at.X]&crossing != 0 {
			if i, ok := visited[at]; ok {
				rings = append(rings, slices.Clone(ring[i:]))
				ring = ring[:i]
			}
			visited[at] = len(ring)
		}
		if direction != last {
			ring = append(ring, at)
		}
		last = direction
		at = at.Add(steps[direction])
		direction = turn(edges[at.Y*w+at.X], direction)
		if at == start && direction == east {
			break
		}
		edges[at.Y*w+at.X] &^= 1 << direction
	}
	edges[start.Y*w+start.X] &^= 1 << east
	return append(rings, ring)
}

// turn returns the direction in which a border that comes in the given direction leaves
// a corner: the rightmost of those in which borders leave it. One does.
func turn(leaving uint8, direction int) int {
	right, left := (direction+1)%4, (direction+3)%4
	switch {
	case leaving&(1<<right) != 0:
		return right
	case leaving&(1<<direction) != 0:
		return direction
	}
	return left
}

// clockwise is the sign of the shoelace area with y pointing down.
func clockwise(ring []image.Point) bool {
	var area int
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		area += p.X*q.Y - q.X*p.Y
	}
	return area > 0
}

// Area returns the number of pixels inside.
func (p Polygon) Area() int {
	area := shoelace(p.Outer)
	for _, hole := range p.Holes {
		area -= shoelace(hole)
	}
	return area
}

func shoelace(ring []image.Point) int {
	var twice int
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		twice += p.X*q.Y - q.X*p.Y
	}
	return max(twice, -twice) / 2
}

// Draw gives the pixels inside the polygon the label: those whose centre is
// inside by the even-odd rule. Points may lie outside the map.
func (p Polygon) Draw(m *Map, label uint16) {
	var o outline
	o.add(vertices(p.Outer), m.Height)
	for _, hole := range p.Holes {
		o.add(vertices(hole), m.Height)
	}
	o.fill(m, label)
}
