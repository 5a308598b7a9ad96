package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"github.com/groupvit/groupvit/mask"
)

// Options of [Overlay] and [Regions]. nil and the zero value are the defaults.
type Options struct {
	// Opacity of the regions' colour over the photo, 0 to 1; 0 means 0.5. For
	// outlines alone, give a value close to zero.
	Opacity float64
	// NoOutline leaves out the lines around regions.
	NoOutline bool
	// NoLegend leaves out the legend, so that the picture has the photo's size,
	// and the names on regions.
	NoLegend bool
	// NoNames leaves out the names on regions.
	NoNames bool
	// Title is a line above the legend's entries; empty for none.
	Title string
	// Color gives another colour to a label; nil means [Color].
	Color func(label int) color.RGBA
}

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Opacity == 0 {
		out.Opacity = 0.5
	}
	if !(out.Opacity >= 0 && out.Opacity <= 1) {
		return out, fmt.Errorf("render: opacity %g: give a number from 0 to 1", out.Opacity)
	}
	if out.Color == nil {
		out.Color = Color
	}
	return out, nil
}

// Regions paints the labels of m over the photo, which must have the same
// size; background stays as it is. An error wraps [mask.ErrSize] if the sizes
// differ.
func Regions(photo image.Image, m *mask.Map, options *Options) (*image.RGBA, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := m.Fits(photo.Bounds().Dx(), photo.Bounds().Dy()); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	out := image.NewRGBA(image.Rect(0, 0, m.Width, m.Height))
	draw.Draw(out, out.Rect, photo, photo.Bounds().Min, draw.Src)
	colors := make([]color.RGBA, int(m.Max())+1)
	for i := range colors {
		colors[i] = o.Color(i)
	}
	line := make([]float64, m.Width)
	reach := min(max(2, min(m.Width, m.Height)/180), 8) // of outlines, in pixels
	for y := range m.Height {
		labels := m.Labels[y*m.Width : (y+1)*m.Width]
		if !o.NoOutline {
			outline(line, m, y, reach)
		}
		for x, l := range labels {
			if l == 0 {
				continue
			}
			mix(out.Pix[out.PixOffset(x, y):], colors[l], o.Opacity+(1-o.Opacity)*line[x])
		}
	}
	return out, nil
}

// outline sets line[x] to how much of an outline pixel (x, y) shows, 0 to 1:
// the share of other labels in the square within reach, scaled so that it is
// full at the border and fades inwards. The photo's own border is none.
func outline(line []float64, m *mask.Map, y, reach int) {
	top, bottom := max(y-reach, 0), min(y+reach, m.Height-1)
	row := m.Labels[y*m.Width : (y+1)*m.Width]
	for start := 0; start < len(row); {
		own, end := row[start], start
		for end < len(row) && row[end] == own {
			end++
		}
		for x := start; x < end; x++ {
			line[x] = 0
			if own == 0 {
				continue
			}
			left, right := max(x-reach, 0), min(x+reach, m.Width-1)
			// Far from a border in its row and in its column: the usual case.
			if left >= start && right < end && !changes(m, x, top, bottom, own) {
				continue
			}
			others := 0
			for v := top; v <= bottom; v++ {
				for _, l := range m.Labels[v*m.Width+left : v*m.Width+right+1] {
					if l != own {
						others++
					}
				}
			}
			line[x] = min(1, 3*float64(others)/float64((bottom-top+1)*(right-left+1)))
		}
		start = end
	}
}

// changes says whether column x has another label than own from top to bottom.
func changes(m *mask.Map, x, top, bottom int, own uint16) bool {
	for at := top*m.Width + x; at <= bottom*m.Width+x; at += m.Width {
		if m.Labels[at] != own {
			return true
		}
	}
	return false
}

// mix moves an RGBA pixel towards a colour.
func mix(p []uint8, c color.RGBA, share float64) {
	s := int(share*256 + 0.5)
	p[0] = uint8((int(p[0])*(256-s) + int(c.R)*s) >> 8)
	p[1] = uint8((int(p[1])*(256-s) + int(c.G)*s) >> 8)
	p[2] = uint8((int(p[2])*(256-s) + int(c.B)*s) >> 8)
}
