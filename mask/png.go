package mask

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/groupvit/groupvit/internal/limits"
	fast "github.com/groupvit/groupvit/internal/png"
)

// VOCPalette returns the 256 colours of PASCAL VOC: the bits of the index,
// taken three at a time from the lowest, become the highest bits of red, green
// and blue. Index 0 is black; 255 is the cream of ignored borders.
func VOCPalette() color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		var c color.RGBA
		c.A = 255
		for rest, bit := i, 7; rest != 0; rest, bit = rest>>3, bit-1 {
			c.R |= uint8(rest&1) << bit
			c.G |= uint8(rest>>1&1) << bit
			c.B |= uint8(rest>>2&1) << bit
		}
		p[i] = c
	}
	return p
}

// EncodePNG writes the map as a PNG whose pixel values are the labels: 8-bit
// indexed with the given palette (nil, or missing colours: VOC's), as
// benchmarks store masks; 16-bit grey without a palette if a label is above
// 255, which no index can hold.
func (m *Map) EncodePNG(w io.Writer, palette color.Palette) error {
	if err := m.Validate(); err != nil {
		return err
	}
	bounds := image.Rect(0, 0, m.Width, m.Height)
	if m.Max() > 255 {
		out := image.NewGray16(bounds)
		for i, l := range m.Labels {
			out.Pix[2*i], out.Pix[2*i+1] = uint8(l>>8), uint8(l)
		}
		return fast.Encode(w, out)
	}
	// Always 256 colours, so that the file is 8-bit whatever the labels.
	full := VOCPalette()
	copy(full, palette)
	out := image.NewPaletted(bounds, full)
	for i, l := range m.Labels {
		out.Pix[i] = uint8(l)
	}
	return fast.Encode(w, out)
}

// encodeGray writes an 8-bit grey PNG of pixels by number.
func encodeGray(w io.Writer, width, height int, value func(i int) uint8) error {
	out := image.NewGray(image.Rect(0, 0, width, height))
	for i := range out.Pix {
		out.Pix[i] = value(i)
	}
	return fast.Encode(w, out)
}

// pngRatio: deflate shrinks at most 1032:1.
const pngRatio = 1040

// DecodePNG reads a map from a PNG whose pixel values are labels: indexed
// (the index counts, not the colour) or grey, 1 to 16 bits. Errors wrap
// ErrFormat or ErrTooLarge; the size is checked from the header.
func DecodePNG(r io.Reader) (*Map, error) {
	b, err := io.ReadAll(io.LimitReader(r, limits.ImageBytes+1))
	if err != nil {
		return nil, fmt.Errorf("mask: read: %w", err)
	}
	if err := limits.Check("size in bytes", "mask", int64(len(b)), limits.ImageBytes, "make it smaller"); err != nil {
		return nil, err
	}
	header, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("mask: %w: its PNG header: %w", ErrFormat, err)
	}
	if err := errors.Join(checkSize(header.Width, header.Height), checkRead(header.Width, header.Height)); err != nil {
		return nil, err
	}
	// Offsets in the file: 8 bytes of signature, 8 of chunk name and length,
	// then width, height, bit depth.
	depth := int(b[24])
	if int64(header.Width)*int64(depth)/8*int64(header.Height) > pngRatio*int64(len(b)) {
		return nil, fmt.Errorf("mask: %w: its header claims %d×%d pixels, more than %d bytes can hold", ErrFormat, header.Width, header.Height, len(b))
	}
	decoded, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("mask: %w: its PNG data: %w", ErrFormat, err)
	}
	m := &Map{header.Width, header.Height, make([]uint16, header.Width*header.Height)}
	switch src := decoded.(type) {
	case *image.Paletted:
		for i := range m.Labels {
			m.Labels[i] = uint16(src.Pix[i/m.Width*src.Stride+i%m.Width])
		}
	case *image.Gray:
		scale := uint16(255 / (1<<min(depth, 8) - 1)) // Go spreads 1, 2 and 4 bits over 0…255
		for i := range m.Labels {
			m.Labels[i] = uint16(src.Pix[i/m.Width*src.Stride+i%m.Width]) / scale
		}
	case *image.Gray16:
		for i := range m.Labels {
			at := i/m.Width*src.Stride + 2*(i%m.Width)
			m.Labels[i] = uint16(src.Pix[at])<<8 | uint16(src.Pix[at+1])
		}
	default:
		return nil, fmt.Errorf("mask: %w: a PNG of colours, not of labels: store it indexed or grey", ErrFormat)
	}
	return m, nil
}
