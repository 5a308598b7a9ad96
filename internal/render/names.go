package render

import (
	"image"
	"image/color"
	"maps"
	"math"
	"slices"

	"github.com/groupvit/groupvit/mask"
)

// drawNames writes each label's name on its widest region, where it fits there:
// a reader needs no colour to tell regions apart. top is where the photo begins
// in the picture, left likewise.
func drawNames(to *image.RGBA, left, top int, m *mask.Map, l *legend) error {
	size := l.size * 0.9
	p, err := newPen(size, true)
	if err != nil {
		return err
	}
	defer p.close()
	height, pad := int(size*1.5), int(size*0.55)
	names, widths := map[uint16]string{}, make([]int, int(m.Max())+1)
	for _, e := range l.entries {
		if e.found {
			names[uint16(e.label)] = e.name
			widths[e.label] = p.width(e.name) + 2*pad
		}
	}
	// A coarser map shows as well where there is room, in a fraction of the time.
	scale := max(1, min(m.Width, m.Height)/coarse)
	for i := range widths {
		widths[i] = (widths[i] + scale - 1) / scale
	}
	places := places(coarser(m, scale), widths, (height+scale-1)/scale)
	for i := range widths {
		widths[i] *= scale
	}
	for _, label := range slices.Sorted(maps.Keys(places)) {
		at := places[label].Mul(scale)
		w := widths[label]
		r := image.Rect(at.X-w/2, at.Y-height/2, at.X-w/2+w, at.Y-height/2+height).Add(image.Pt(left, top))
		c := l.o.Color(int(label))
		roundedRect(to, r, float64(height)*0.3, c)
		p.draw(to, r.Min.X+pad, r.Min.Y+(height+p.ascent)/2, names[label], on(c))
	}
	return nil
}

// coarse is the shorter side of maps on which names are placed, in pixels.
const coarse = 500

// coarser takes one pixel out of every scale² of a map.
func coarser(m *mask.Map, scale int) *mask.Map {
	if scale == 1 {
		return m
	}
	out := &mask.Map{Width: m.Width / scale, Height: m.Height / scale}
	out.Labels = make([]uint16, 0, out.Width*out.Height)
	for y := range out.Height {
		row := m.Labels[(y*scale+scale/2)*m.Width:]
		for x := range out.Width {
			out.Labels = append(out.Labels, row[x*scale+scale/2])
		}
	}
	return out
}

// on is what reads best on a colour: ink, or paper on dark ones.
func on(c color.RGBA) color.RGBA {
	// Where ink and paper have the same contrast (WCAG 2).
	const middle = 0.21
	if luminance(c) > middle {
		return ink
	}
	return paper
}

// luminance is WCAG 2's relative luminance, 0 to 1.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// places finds, for each label with a width, the middle of a rectangle of that
// width and the height that lies inside one of its regions, as deep inside as
// there is; labels without one are left out.
func places(m *mask.Map, widths []int, height int) map[uint16]image.Point {
	depth := depths(m)
	// By label, the places that are deepest, from the top.
	candidates, deepest := map[uint16][]image.Point{}, map[uint16]int32{}
	reach := int32(height/2 + 1)
	for y := range m.Height {
		row := m.Labels[y*m.Width : (y+1)*m.Width]
		deep := depth[y*m.Width : (y+1)*m.Width]
		for x := 0; x < m.Width; {
			if row[x] == 0 || deep[x] < reach {
				x++
				continue
			}
			label, start := row[x], x
			for x < m.Width && row[x] == label && deep[x] >= reach {
				x++
			}
			middle := (start + x) / 2
			// Every pixel of the run has its label for reach in all directions.
			if x-start+2*int(reach)-2 < widths[label] || deep[middle] < deepest[label] {
				continue
			}
			if deep[middle] > deepest[label] {
				candidates[label], deepest[label] = candidates[label][:0], deep[middle]
			}
			candidates[label] = append(candidates[label], image.Pt(middle, y))
		}
	}
	found := map[uint16]image.Point{}
	for label, list := range candidates {
		found[label] = list[len(list)/2]
	}
	return found
}

// depths returns, for each pixel, how many steps (to any of eight neighbours) it
// is to the nearest pixel of another label or to the edge of the photo.
func depths(m *mask.Map) []int32 {
	w, h := m.Width, m.Height
	d := make([]int32, w*h)
	step := func(at, x, y, dx, dy int) {
		nx, ny := x+dx, y+dy
		if nx < 0 || ny < 0 || nx >= w || ny >= h || m.Labels[ny*w+nx] != m.Labels[at] {
			d[at] = 1
		} else {
			d[at] = min(d[at], d[ny*w+nx]+1)
		}
	}
	for y := range h {
		for x := range w {
			at := y*w + x
			d[at] = int32(w + h)
			step(at, x, y, -1, -1)
			step(at, x, y, 0, -1)
			step(at, x, y, 1, -1)
			step(at, x, y, -1, 0)
		}
	}
	for y := h - 1; y >= 0; y-- {
		for x := w - 1; x >= 0; x-- {
			at := y*w + x
			step(at, x, y, 1, 1)
			step(at, x, y, 0, 1)
			step(at, x, y, -1, 1)
			step(at, x, y, 1, 0)
		}
	}
	return d
}
