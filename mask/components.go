package mask

import "image"

// Component is a 4-connected part of a label: pixels that touch only at a corner are of
// two parts.
type Component struct {
	Label  uint16
	Pixels int
	// Box is the smallest rectangle that holds it, [Min, Max).
	Box image.Rectangle
}

// Components returns the parts of all labels, background included, by their first pixel
// in reading order, and for each pixel, row by row, the number of its part: the part's
// place in the list. They are a label's instances as far as a map can tell them apart.
func (m *Map) Components() (parts []Component, numbers []int32) {
	numbers = make([]int32, len(m.Labels))
	for i := range numbers {
		numbers[i] = -1
	}
	var stack []int32
	for first, l := range m.Labels {
		if numbers[first] >= 0 {
			continue
		}
		n := int32(len(parts))
		part := Component{Label: l, Box: image.Rect(first%m.Width, first/m.Width, first%m.Width+1, first/m.Width+1)}
		numbers[first] = n
		stack = append(stack[:0], int32(first))
		for len(stack) > 0 {
			at := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			x, y := at%m.Width, at/m.Width
			part.Pixels++
			part.Box.Min.X, part.Box.Max.X = min(part.Box.Min.X, x), max(part.Box.Max.X, x+1)
			part.Box.Max.Y = max(part.Box.Max.Y, y+1)
			take := func(ok bool, next int) {
				if ok && numbers[next] < 0 && m.Labels[next] == l {
					numbers[next] = n
					stack = append(stack, int32(next))
				}
			}
			take(x > 0, at-1)
			take(x+1 < m.Width, at+1)
			take(y > 0, at-m.Width)
			take(y+1 < m.Height, at+m.Width)
		}
		parts = append(parts, part)
	}
	return parts, numbers
}

// RemoveSmall returns a copy of the map without the parts ([Map.Components]), background
// included, of fewer than the given number of pixels: such a part gets the label with
// which it shares the most sides of pixels, the lowest of several, among neighbours that
// are large enough themselves. A part without such neighbours becomes background. The
// result does not depend on the order of parts; parts of one label that were apart may
// be joined. Nothing is removed for pixels of 1 or less.
func (m *Map) RemoveSmall(pixels int) *Map {
	out := &Map{m.Width, m.Height, append([]uint16(nil), m.Labels...)}
	if pixels <= 1 {
		return out
	}
	parts, numbers := m.Components()
	sides := map[int32]map[uint16]int{} // of each small part, by the neighbour's label
	border := func(at, next int) {
		n, other := numbers[at], numbers[next]
		if n == other || parts[n].Pixels >= pixels || parts[other].Pixels < pixels {
			return
		}
		if sides[n] == nil {
			sides[n] = map[uint16]int{}
		}
		sides[n][m.Labels[next]]++
	}
	for at := range m.Labels {
		if (at+1)%m.Width != 0 {
			border(at, at+1)
			border(at+1, at)
		}
		if at+m.Width < len(m.Labels) {
			border(at, at+m.Width)
			border(at+m.Width, at)
		}
	}
	becomes := make([]uint16, len(parts))
	for n, part := range parts {
		if becomes[n] = part.Label; part.Pixels >= pixels {
			continue
		}
		most := 0
		becomes[n] = 0
		for label, count := range sides[int32(n)] {
			if count > most || count == most && label < becomes[n] {
				becomes[n], most = label, count
			}
		}
	}
	for at, n := range numbers {
		out.Labels[at] = becomes[n]
	}
	return out
}
