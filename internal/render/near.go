package render

import "github.com/groupvit/groupvit/mask"

// nearBorders marks the pixels within so many of a border between two labels, to any
// side: the few for which it is worth to look around.
func nearBorders(m *mask.Map, reach int) []bool {
	w, h := m.Width, m.Height
	near := make([]bool, w*h)
	for y := range h {
		row := m.Labels[y*w : (y+1)*w]
		for x := 1; x < w; x++ {
			if row[x] != row[x-1] {
				near[y*w+x-1], near[y*w+x] = true, true
			}
		}
		if y == 0 {
			continue
		}
		above := m.Labels[(y-1)*w : y*w]
		for x, l := range row {
			if l != above[x] {
				near[(y-1)*w+x], near[y*w+x] = true, true
			}
		}
	}
	away := make([]int, max(w, h))
	for y := range h { // along rows
		row := near[y*w : (y+1)*w]
		spread(w, reach, away[:1], func(i int) []bool { return row[i : i+1] })
	}
	spread(h, reach, away[:w], func(i int) []bool { return near[i*w : (i+1)*w] })
	return near
}

// spread marks what lies within reach of a mark, forwards, then backwards, in n lines.
// away counts how far the last mark of each place is.
func spread(n, reach int, away []int, line func(i int) []bool) {
	for _, back := range [2]bool{false, true} {
		for x := range away {
			away[x] = reach
		}
		for i := range n {
			if back {
				i = n - 1 - i
			}
			for x, marked := range line(i) {
				switch {
				case marked:
					away[x] = 0
				case away[x] < reach:
					away[x]++
					line(i)[x] = true
				}
			}
		}
	}
}
