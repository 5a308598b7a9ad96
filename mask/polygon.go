package mask

import "image"

// Polygon is one connected region: its outer ring and the rings of its holes.
// Points are corners of pixels, so (0,0) is the upper left corner of the first
// pixel and (Width, Height) the lower right corner of the last. The outer ring
// runs clockwise as seen on the screen, holes run counter-clockwise; the last
// point joins the first. Filled with the even-odd rule, the rings give back
// exactly the region.
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
			ring := trace(edges, m.Width+1, start)
			// The pixel below an edge to the east belongs to the region.
			p := &out[component[start.Y*m.Width+start.X]-1]
			if clockwise(ring) {
				p.Outer = ring
			} else {
				p.Holes = append(p.Holes, ring)
			}
		}
	}
	return out
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
// one bit each.
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
	return out
}

// trace follows the border from start to the east until it is back, removes
// its edges, and returns the corners where it turns. Where two borders cross
// it turns right, which keeps regions that touch at a corner apart.
func trace(edges []uint8, w int, start image.Point) []image.Point {
	var ring []image.Point
	at, direction, last := start, east, -1
	for {
		edges[at.Y*w+at.X] &^= 1 << direction
		if direction != last {
			ring = append(ring, at)
		}
		last = direction
		at = at.Add(steps[direction])
		left := edges[at.Y*w+at.X]
		switch {
		case left&(1<<((direction+1)%4)) != 0:
			direction = (direction + 1) % 4
		case left&(1<<direction) != 0:
		case left&(1<<((direction+3)%4)) != 0:
			direction = (direction + 3) % 4
		default: // back at the start
			if last == east { // the start lies inside a straight edge
				ring = ring[1:]
			}
			return ring
		}
	}
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
