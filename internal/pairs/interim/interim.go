// Package interim decodes JPEG and PNG with the standard library, until the
// imaging package replaces it.
package interim

import (
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"

	"golang.org/x/image/draw"
)

type Image struct {
	Width, Height int
	Pix           []uint8
}
type Options struct{}
type Filter int

const (
	Bilinear Filter = iota
	Bicubic
)

func Decode(r io.Reader, o Options) (*Image, error) {
	im, _, err := image.Decode(r)
	if err != nil {
		return nil, err
	}
	b := im.Bounds()
	out := &Image{b.Dx(), b.Dy(), make([]uint8, 3*b.Dx()*b.Dy())}
	for y := 0; y < b.Dy(); y++ {
		for x := 0; x < b.Dx(); x++ {
			r, g, bb, _ := im.At(b.Min.X+x, b.Min.Y+y).RGBA()
			i := 3 * (y*b.Dx() + x)
			out.Pix[i], out.Pix[i+1], out.Pix[i+2] = uint8(r>>8), uint8(g>>8), uint8(bb>>8)
		}
	}
	return out, nil
}
func ResizePIL(im *Image, w, h int, f Filter) *Image {
	src := image.NewRGBA(image.Rect(0, 0, im.Width, im.Height))
	for i := 0; i < im.Width*im.Height; i++ {
		copy(src.Pix[4*i:], im.Pix[3*i:3*i+3])
		src.Pix[4*i+3] = 255
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(dst, dst.Rect, src, src.Rect, draw.Src, nil)
	out := &Image{w, h, make([]uint8, 3*w*h)}
	for i := 0; i < w*h; i++ {
		copy(out.Pix[3*i:3*i+3], dst.Pix[4*i:])
	}
	return out
}
