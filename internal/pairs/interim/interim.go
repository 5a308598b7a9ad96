// Package interim decodes and resizes pictures with the standard library and
// x/image, within the caps of limits. It has the part of the imaging package's
// interface that pairs needs; package pairs uses it through picture.go only.
package interim

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // decoders
	_ "image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"github.com/groupvit/groupvit/internal/limits"
)

// Image is a decoded RGB picture: 3·Width·Height bytes, row by row.
type Image struct {
	Width, Height int
	Pix           []uint8
}

// Decode decodes a JPEG, PNG or WebP. Its size is checked from the header,
// before any pixel is allocated.
func Decode(r io.Reader) (*Image, error) {
	b, err := io.ReadAll(io.LimitReader(bufio.NewReader(r), limits.ImageBytes+1))
	if err != nil {
		return nil, err
	}
	if err := limits.Check("its size in bytes", "picture", int64(len(b)), limits.ImageBytes, "make it smaller"); err != nil {
		return nil, err
	}
	header, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if header.Width < 1 || header.Height < 1 {
		return nil, fmt.Errorf("a picture of %d×%d pixels", header.Width, header.Height)
	}
	side := int64(max(header.Width, header.Height))
	if err := limits.Check("its longer side in pixels", "picture", side, limits.ImageSide, "make it smaller"); err != nil {
		return nil, err
	}
	if err := limits.Check("its size in pixels", "picture", int64(header.Width)*int64(header.Height), limits.ImagePixels, "make it smaller"); err != nil {
		return nil, err
	}
	im, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	size := im.Bounds()
	over := image.NewRGBA(image.Rect(0, 0, size.Dx(), size.Dy()))
	draw.Draw(over, over.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(over, over.Rect, im, size.Min, draw.Over)
	return fromRGBA(over), nil
}

func fromRGBA(im *image.RGBA) *Image {
	out := &Image{im.Rect.Dx(), im.Rect.Dy(), make([]uint8, 0, 3*im.Rect.Dx()*im.Rect.Dy())}
	for at := 0; at < len(im.Pix); at += 4 {
		out.Pix = append(out.Pix, im.Pix[at:at+3]...)
	}
	return out
}

// Resize resizes bilinearly, averaging where it shrinks.
func Resize(im *Image, width, height int) *Image {
	source := image.NewRGBA(image.Rect(0, 0, im.Width, im.Height))
	for i := range im.Width * im.Height {
		copy(source.Pix[4*i:], im.Pix[3*i:3*i+3])
		source.Pix[4*i+3] = 255
	}
	target := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.BiLinear.Scale(target, target.Rect, source, source.Rect, draw.Src, nil)
	return fromRGBA(target)
}
