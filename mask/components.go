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
	r := m.runs()
	numbers = make([]int32, len(m.Labels))
	for i := range r.list[:len(r.list)-1] {
		run := numbers[r.list[i].start:r.list[i+1].start]
		for k := range run {
			run[k] = r.list[i].part
		}
	}
	return r.parts, numbers
}

// run is pixels of one label beside each other in a row, up to the next run.
type run struct {
	start, part int32
	label       uint16
}

// runs are all runs of a map, in reading order, with one beyond the last; rows are where
// each row's begin.
type runs struct {
	list  []run
	rows  []int
	parts []Component
}

// runs finds the runs and joins those of one part, row by row.
func (m *Map) runs() *runs {
	r := &runs{rows: make([]int, 0, m.Height+1)}
	for y := range m.Height {
		r.rows = append(r.rows, len(r.list))
		begin := y * m.Width
		row := m.Labels[begin : begin+m.Width]
		for x := 0; x < len(row); {
			start, l := x, row[x]
			for x < len(row) && row[x] == l {
				x++
			}
			r.list = append(r.list, run{int32(begin + start), int32(len(r.list)), l})
		}
	}
	r.rows = append(r.rows, len(r.list))
	r.list = append(r.list, run{start: int32(len(m.Labels))})
	for y := 1; y < m.Height; y++ {
		r.overlaps(y, m.Width, func(above, below, _ int) {
			if r.list[above].label == r.list[below].label {
				r.join(above, below)
			}
		})
	}
	r.number(m.Width)
	return r
}

// overlaps calls use for every two runs that lie above each other in rows y-1 and y, and
// along how many pixels.
func (r *runs) overlaps(y, width int, use func(above, below, pixels int)) {
	for a, b := r.rows[y-1], r.rows[y]; a < r.rows[y] && b < r.rows[y+1]; {
		endA, endB := int(r.list[a+1].start)+width, int(r.list[b+1].start)
		from := max(int(r.list[a].start)+width, int(r.list[b].start))
		if to := min(endA, endB); to > from {
			use(a, b, to-from)
		}
		if endA <= endB {
			a++
		}
		if endB <= endA {
			b++
		}
	}
}

// root is the first run of a run's part, as far as is known; ways get shorter.
func (r *runs) root(i int) int {
	for int(r.list[i].part) != i {
		r.list[i].part = r.list[r.list[i].part].part
		i = int(r.list[i].part)
	}
	return i
}

func (r *runs) join(a, b int) {
	a, b = r.root(a), r.root(b)
	if a > b {
		a, b = b, a
	}
	r.list[b].part = int32(a)
}

// number gives parts their places, in the order of their first runs.
func (r *runs) number(width int) {
	roots := make([]int32, len(r.list)-1)
	for i := range roots {
		roots[i] = int32(r.root(i))
	}
	for i, root := range roots {
		x, y := int(r.list[i].start)%width, int(r.list[i].start)/width
		n := int(r.list[i+1].start - r.list[i].start)
		box := image.Rect(x, y, x+n, y+1)
		if int(root) == i {
			r.list[i].part = int32(len(r.parts))
			r.parts = append(r.parts, Component{Label: r.list[i].label, Pixels: n, Box: box})
			continue
		}
		r.list[i].part = r.list[root].part
		p := &r.parts[r.list[i].part]
		p.Pixels += n
		p.Box = p.Box.Union(box)
	}
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
	r := m.runs()
	sides := r.sides(m, pixels)
	becomes := make([]uint16, len(r.parts))
	for n, part := range r.parts {
		if part.Pixels >= pixels {
			continue
		}
		most := 0
		for label, count := range sides[int32(n)] {
			if count > most || count == most && label < becomes[n] {
				becomes[n], most = label, count
			}
		}
	}
	for i := range r.list[:len(r.list)-1] {
		if n := r.list[i].part; r.parts[n].Pixels < pixels {
			to := out.Labels[r.list[i].start:r.list[i+1].start]
			for k := range to {
				to[k] = becomes[n]
			}
		}
	}
	return out
}

// sides counts, for each part that is too small, the sides it shares with labels of
// parts that are not.
func (r *runs) sides(m *Map, pixels int) map[int32]map[uint16]int {
	sides := map[int32]map[uint16]int{}
	border := func(of, beside, length int) {
		n, other := r.list[of].part, r.list[beside].part
		if r.parts[n].Pixels >= pixels || r.parts[other].Pixels < pixels {
			return
		}
		if sides[n] == nil {
			sides[n] = map[uint16]int{}
		}
		sides[n][r.list[beside].label] += length
	}
	for y := range m.Height {
		for i := r.rows[y]; i+1 < r.rows[y+1]; i++ {
			border(i, i+1, 1)
			border(i+1, i, 1)
		}
		if y > 0 {
			r.overlaps(y, m.Width, func(above, below, length int) {
				border(above, below, length)
				border(below, above, length)
			})
		}
	}
	return sides
}
