package tiff

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"

	"golang.org/x/image/webp"

	"github.com/groupvit/groupvit/internal/imaging/rgb"
)

// pictureRows decodes a segment that is a JPEG or WebP file of its own, and hands out
// its rows as bytes: all samples of a pixel, or those of a plane. What was YCbCr is RGB
// then.
func (r *reader) pictureRows(raw []byte, rows int, use func(k int, row []byte) error) error {
	var im image.Image
	var err error
	if r.compression == compressionWebP {
		c, configErr := webp.DecodeConfig(bytes.NewReader(raw))
		if err = r.fits(c, configErr); err == nil {
			im, err = webp.Decode(bytes.NewReader(raw))
		}
	} else {
		raw = r.wholeJPEG(raw)
		c, configErr := jpeg.DecodeConfig(bytes.NewReader(raw))
		if err = r.fits(c, configErr); err == nil {
			im, err = jpeg.Decode(bytes.NewReader(raw))
		}
	}
	if err != nil {
		return damaged("its JPEG or WebP data: %w", err)
	}
	b := im.Bounds()
	if b.Dx() < min(r.across, r.Width) || b.Dy() < rows {
		return damaged("a strip or tile of %d×%d pixels where %d×%d are due", b.Dx(), b.Dy(), r.across, rows)
	}
	samples := r.samples
	if r.planar {
		samples = 1
	}
	pix, err := r.samplesOf(im, samples)
	if err != nil {
		return err
	}
	for k := range rows {
		if err := use(k, pix[k*b.Dx()*samples:][:b.Dx()*samples]); err != nil {
			return err
		}
	}
	return nil
}

// fits refuses a segment much larger than what the tags say before it is decoded.
func (r *reader) fits(c image.Config, err error) error {
	if err == nil && (c.Width > r.across+64 || c.Height > r.down+64) {
		err = damaged("%d×%d pixels in a strip or tile of %d×%d", c.Width, c.Height, r.across, r.down)
	}
	return err
}

// wholeJPEG joins a segment with the tables that all segments share, and says of four
// components that they are stored as they are: without that word the decoder takes no
// such file.
func (r *reader) wholeJPEG(raw []byte) []byte {
	out := []byte{0xff, 0xd8}
	if r.photometric != ycbcr || r.planar {
		out = append(out, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"...)
	}
	if t := r.jpegTables; len(t) > 4 {
		out = append(out, bytes.TrimSuffix(t[2:], []byte{0xff, 0xd9})...)
	}
	if len(raw) > 2 {
		out = append(out, raw[2:]...)
	}
	return out
}

// samplesOf returns the samples of a decoded segment, that many a pixel.
func (r *reader) samplesOf(im image.Image, samples int) ([]uint8, error) {
	b := im.Bounds()
	w, h := b.Dx(), b.Dy()
	pix := make([]uint8, w*h*samples)
	switch im := im.(type) {
	case *image.Gray:
		if samples == 1 {
			for y := range h {
				copy(pix[y*w:][:w], im.Pix[y*im.Stride:])
			}
			return pix, nil
		}
	case *image.YCbCr:
		if samples == 3 {
			rgb.YCbCr(pix, im, r.compression == compressionWebP)
			return pix, nil
		}
	case *image.CMYK: // the decoder turns Adobe's inverted inks round
		if samples == 4 {
			for y := range h {
				for i, v := range im.Pix[y*im.Stride:][:4*w] {
					pix[4*y*w+i] = 255 - v
				}
			}
			return pix, nil
		}
	}
	if samples != 3 && samples != 4 || samples == 4 && r.compression != compressionWebP {
		return nil, damaged("a strip or tile of another kind of JPEG than %d samples", samples)
	}
	for y := range h {
		for x := range w {
			c := color.NRGBAModel.Convert(im.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			copy(pix[(y*w+x)*samples:][:samples], []uint8{c.R, c.G, c.B, c.A})
		}
	}
	return pix, nil
}
