package render

import "github.com/groupvit/groupvit/mask"

// nearBorders marks the pixels within so many of a border between two labels, to any
// side: the few for which it is worth to look around.
func nearBorders(m *mask.Map, reach int) []bool {
	w, h := m.Width, m.Height
	near := make([]bool, w*h)
	marks := make([]bool, w)
	for x := range marks {
		marks[x] = true
	}
	var found []span
	for y := range h {
		found = borders(found[:0], m, y, reach)
		for _, s := range found {
			for v := max(y-reach, 0); v <= min(y+reach, h-1); v++ {
				copy(near[v*w+s.from:v*w+s.to], marks)
			}
		}
	}
	return near
}

// span is a stretch of a row, [from, to).
type span struct{ from, to int }

// borders adds the stretches of a row within reach of its pixels that have another label
// beside, above or below them, from left to right and apart.
func borders(list []span, m *mask.Map, y, reach int) []span {
	w := m.Width
	row := m.Labels[y*w : (y+1)*w]
	above, below := row, row
	if y > 0 {
		above = m.Labels[(y-1)*w : y*w]
	}
	if y+1 < m.Height {
		below = m.Labels[(y+1)*w : (y+2)*w]
	}
	above, below = above[:len(row)], below[:len(row)]
	before := row[0]
	for x, l := range row {
		if l == before && l == above[x] && l == below[x] {
			continue
		}
		from, to := x-reach, min(x+reach+1, w)
		if l != before {
			from-- // the border is the left neighbour's as well
		}
		before = l
		from = max(from, 0)
		if n := len(list); n > 0 && from <= list[n-1].to {
			list[n-1].to = to
			continue
		}
		list = append(list, span{from, to})
	}
	return list
}
