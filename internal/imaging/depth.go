package imaging

import (
	"image"

	"github.com/groupvit/groupvit/internal/imaging/rgb"
	"github.com/groupvit/groupvit/internal/imaging/tiff"
)

// depth16 returns by how many bits 16-bit samples are shifted to 8, and tells note where
// that is not their high byte: see [tiff.Depth16].
func depth16(values []uint16, note func(string)) int {
	var largest uint16
	for _, v := range values {
		largest = max(largest, v)
	}
	shift, said := tiff.Depth16(largest)
	if said != "" && note != nil {
		note(said)
	}
	return shift
}

// deep converts 16-bit grey and opaque colours; ok is false for what is neither.
func deep(src image.Image, note func(string)) (out *Image, ok bool) {
	var pix []uint8
	var stride, step, channels int
	switch src := src.(type) {
	case *image.Gray16:
		pix, stride, step, channels = src.Pix, src.Stride, 2, 1
	case *image.RGBA64:
		pix, stride, step, channels = src.Pix, src.Stride, 8, 3
	default:
		return nil, false
	}
	b := src.Bounds()
	values := make([]uint16, 0, b.Dx()*b.Dy()*channels)
	for y := range b.Dy() {
		row := pix[y*stride:]
		for x := range b.Dx() {
			for c := range channels {
				values = append(values, uint16(row[x*step+2*c])<<8|uint16(row[x*step+2*c+1]))
			}
		}
	}
	shift := depth16(values, note)
	out = New(b.Dx(), b.Dy())
	for i := range out.Pix {
		at := i
		if channels == 1 {
			at = i / 3
		}
		out.Pix[i] = uint8(min(values[at]>>shift, 255))
	}
	return out, true
}

// blend composites a colour over white.
func blend(to []uint8, alpha uint8) { rgb.Blend(to, to[0], to[1], to[2], alpha) }
