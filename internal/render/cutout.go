package render

import (
	"fmt"
	"image"

	"github.com/groupvit/groupvit/mask"
)

// Cutout returns the photo's pixels of a label as they are, and transparent ones
// elsewhere; it has the photo's size. An error wraps [mask.ErrSize] if the map has
// another.
func Cutout(photo image.Image, m *mask.Map, label uint16) (*image.NRGBA, error) {
	b := photo.Bounds()
	if err := m.Fits(b.Dx(), b.Dy()); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	opaque := toRGBA(photo)
	out := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for at, l := range m.Labels {
		if l == label {
			copy(out.Pix[4*at:4*at+4], opaque.Pix[4*at:])
			out.Pix[4*at+3] = 255
		}
	}
	return out, nil
}
