package render

import (
	"fmt"
	"image"

	"github.com/groupvit/groupvit/mask"
)

// Cutout returns the photo's pixels of a label, and transparent ones elsewhere; it has the
// photo's size. Borders are smoothed as those of overlays are, and fade over a pixel;
// options.Exact leaves every pixel of the map, opaque. An error wraps [mask.ErrSize] if the
// map has another size.
func Cutout(photo image.Image, m *mask.Map, label uint16, options *Options) (*image.NRGBA, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	b := photo.Bounds()
	if err := m.Fits(b.Dx(), b.Dy()); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	m = o.shown(m)
	opaque := toRGBA(photo)
	out := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for at, l := range m.Labels {
		alpha := uint8(0)
		switch x, y := at%m.Width, at/m.Width; {
		case o.Exact || !besideAnother(m, x, y):
			if l == label {
				alpha = 255
			}
		default:
			alpha = coverage(m, x, y, label)
		}
		if alpha > 0 {
			copy(out.Pix[4*at:4*at+3], opaque.Pix[4*at:])
			out.Pix[4*at+3] = alpha
		}
	}
	return out, nil
}

// coverage is which share of a pixel, counted four times, and its eight neighbours has a
// label, of 255.
func coverage(m *mask.Map, x, y int, label uint16) uint8 {
	has, all := 0, 0
	for v := max(y-1, 0); v <= min(y+1, m.Height-1); v++ {
		for u := max(x-1, 0); u <= min(x+1, m.Width-1); u++ {
			weight := 1
			if u == x && v == y {
				weight = 4
			}
			all += weight
			if m.Labels[v*m.Width+u] == label {
				has += weight
			}
		}
	}
	return uint8(255 * has / all)
}
