package render

import "github.com/groupvit/groupvit/mask"

// leastShown is the smallest part of a picture that is drawn, in pixels, leastShare as a
// share of it: smaller ones are specks to the eye.
const (
	leastShown = 20
	leastShare = 1. / 5_000
)

// shown is the map as it is drawn: without specks, unless they are to be kept, and with
// smooth borders.
func (o *Options) shown(m *mask.Map) *mask.Map {
	if o.Exact || m.Width < 64 || m.Height < 64 { // hardly more than specks itself
		return m
	}
	if !o.KeepSpecks {
		m = m.RemoveSmall(max(leastShown, int(leastShare*float64(m.Width*m.Height))))
	}
	return smooth(m)
}

// smooth gives each pixel near a border the label that most of the square around it have,
// its own on ties.
func smooth(m *mask.Map) *mask.Map {
	reach := min(max(2, min(m.Width, m.Height)/200), 6)
	out := &mask.Map{Width: m.Width, Height: m.Height, Labels: append([]uint16(nil), m.Labels...)}
	counts := make([]int32, int(m.Max())+1)
	var seen []uint16
	near := nearBorders(m, reach)
	for at, is := range near {
		if !is {
			continue
		}
		x, y := at%m.Width, at/m.Width
		left, right := max(x-reach, 0), min(x+reach, m.Width-1)
		seen = seen[:0]
		for v := max(y-reach, 0); v <= min(y+reach, m.Height-1); v++ {
			for _, l := range m.Labels[v*m.Width+left : v*m.Width+right+1] {
				if counts[l]++; counts[l] == 1 {
					seen = append(seen, l)
				}
			}
		}
		best := m.Labels[at]
		for _, l := range seen {
			if counts[l] > counts[best] {
				best = l
			}
		}
		for _, l := range seen {
			counts[l] = 0
		}
		out.Labels[at] = best
	}
	return out
}
