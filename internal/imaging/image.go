package imaging

import (
	"fmt"
	"image"
	"image/color"

	"github.com/groupvit/groupvit/internal/limits"
)

// Image is a photo: 8-bit RGB, row-major, no padding, upright.
// Pix has 3·Width·Height elements. An Image is safe for concurrent reading.
type Image struct {
	Width, Height int
	Pix           []uint8
}

// New returns a black image. It panics if a side is negative.
func New(width, height int) *Image {
	return &Image{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
}

// Row returns the 3·Width bytes of row y.
func (im *Image) Row(y int) []uint8 {
	return im.Pix[3*im.Width*y : 3*im.Width*(y+1)]
}

// Clone returns a copy that shares nothing with im.
func (im *Image) Clone() *Image {
	return &Image{im.Width, im.Height, append([]uint8(nil), im.Pix...)}
}

// RGBA returns a copy as the standard library's opaque image.RGBA.
func (im *Image) RGBA() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, im.Width, im.Height))
	for i, o := 0, 0; i < len(im.Pix); i, o = i+3, o+4 {
		p, q := im.Pix[i:i+3:i+3], out.Pix[o:o+4:o+4]
		q[0], q[1], q[2], q[3] = p[0], p[1], p[2], 255
	}
	return out
}

// ColorModel, Bounds and At make an Image an image.Image.
func (im *Image) ColorModel() color.Model { return color.RGBAModel }

// Bounds returns the rectangle from (0,0) to (Width,Height).
func (im *Image) Bounds() image.Rectangle { return image.Rect(0, 0, im.Width, im.Height) }

// At returns the opaque colour of a pixel; outside the image it is transparent.
func (im *Image) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= im.Width || y >= im.Height {
		return color.RGBA{}
	}
	p := im.Pix[3*(y*im.Width+x):]
	return color.RGBA{p[0], p[1], p[2], 255}
}

// FromImage converts any image to RGB; alpha is composited over white, 16-bit
// samples keep their high byte. The origin of its bounds does not matter.
// The pixel caps of package limits hold for it too.
func FromImage(src image.Image) (*Image, error) {
	if src == nil {
		return nil, fmt.Errorf("imaging: nil image: %w", ErrFormat)
	}
	if own, ok := src.(*Image); ok {
		if len(own.Pix) != 3*own.Width*own.Height {
			return nil, fmt.Errorf("imaging: %d bytes for %d×%d pixels: %w", len(own.Pix), own.Width, own.Height, ErrSize)
		}
		return own.Clone(), nil
	}
	b := src.Bounds()
	if err := checkSize("image", b.Dx(), b.Dy(), limits.ImagePixels, smaller); err != nil {
		return nil, err
	}
	return convert(src, false), nil
}

// smaller is how to mend most photos that are too large.
const smaller = "make it smaller"

// checkSize refuses sizes outside the caps; mend says what to do about too many pixels.
func checkSize(name string, width, height int, pixels int64, mend string) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("%s: %d×%d pixels: %w: nothing to see", name, width, height, ErrFormat)
	}
	if err := limits.Check("longer side in pixels", name, int64(max(width, height)), limits.ImageSide, smaller); err != nil {
		return err
	}
	return limits.Check(fmt.Sprintf("number of pixels (%d×%d)", width, height), name, int64(width)*int64(height), pixels, mend)
}
