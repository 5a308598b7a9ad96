package imaging

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
)

// decodeGIF reads the first frame. The standard library refuses one with more data than
// pixels, which others show; then it is read here.
func decodeGIF(b []byte, _ func(string)) (*Image, error) {
	frame, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		own, ownErr := firstFrame(b)
		if ownErr != nil {
			return nil, err
		}
		frame = own
	}
	return convert(onCanvas(frame, b), false), nil
}

// canvasGIF is the size in the header.
func canvasGIF(b []byte) image.Rectangle {
	return image.Rect(0, 0, int(b[6])|int(b[7])<<8, int(b[8])|int(b[9])<<8)
}

// onCanvas places a GIF's first frame, which may be smaller, on its canvas.
func onCanvas(frame image.Image, b []byte) image.Image {
	canvas := canvasGIF(b)
	p, ok := frame.(*image.Paletted)
	if !ok || p.Rect == canvas {
		return frame
	}
	out := image.NewNRGBA(canvas)
	within := p.Rect.Intersect(canvas)
	for y := within.Min.Y; y < within.Max.Y; y++ {
		for x := within.Min.X; x < within.Max.X; x++ {
			out.Set(x, y, p.At(x, y))
		}
	}
	return out
}

// gifReader walks a GIF's blocks (GIF89a specification, 18 to 25).
type gifReader struct{ b []byte }

var errGIFEnds = errors.New("it ends before its first frame")

func (g *gifReader) take(n int) ([]byte, error) {
	if n > len(g.b) {
		return nil, errGIFEnds
	}
	out := g.b[:n]
	g.b = g.b[n:]
	return out, nil
}

// blocks joins sub-blocks, each with its length before it, up to an empty one; whichever
// are there at the end of the file.
func (g *gifReader) blocks() []byte {
	var out []byte
	for len(g.b) > 0 {
		n := int(g.b[0])
		if n == 0 {
			g.b = g.b[1:]
			break
		}
		n = min(n, len(g.b)-1)
		out = append(out, g.b[1:1+n]...)
		g.b = g.b[1+n:]
	}
	return out
}

func (g *gifReader) palette(flags byte) (color.Palette, error) {
	if flags&0x80 == 0 {
		return nil, nil
	}
	table, err := g.take(3 << (flags&7 + 1))
	if err != nil {
		return nil, err
	}
	p := make(color.Palette, len(table)/3)
	for i := range p {
		p[i] = color.RGBA{table[3*i], table[3*i+1], table[3*i+2], 255}
	}
	return p, nil
}

// firstFrame reads the first frame, as many pixels as it has and no more.
func firstFrame(b []byte) (*image.Paletted, error) {
	g := &gifReader{b}
	head, err := g.take(13)
	if err != nil {
		return nil, err
	}
	global, err := g.palette(head[10])
	if err != nil {
		return nil, err
	}
	transparent := -1
	for {
		kind, err := g.take(1)
		if err != nil {
			return nil, err
		}
		switch kind[0] {
		case 0x21: // an extension
			label, err := g.take(1)
			if err != nil {
				return nil, err
			}
			if data := g.blocks(); label[0] == 0xf9 && len(data) >= 4 && data[0]&1 == 1 {
				transparent = int(data[3])
			}
		case 0x2c:
			return g.frame(global, transparent, canvasGIF(b))
		default:
			return nil, fmt.Errorf("block %#x before the first frame", kind[0])
		}
	}
}

func (g *gifReader) frame(p color.Palette, transparent int, canvas image.Rectangle) (*image.Paletted, error) {
	head, err := g.take(9)
	if err != nil {
		return nil, err
	}
	local, err := g.palette(head[8])
	if err != nil {
		return nil, err
	}
	if local != nil {
		p = local
	}
	word := func(i int) int { return int(binary.LittleEndian.Uint16(head[i:])) }
	r := image.Rect(word(0), word(2), word(0)+word(4), word(2)+word(6))
	if r.Empty() || r.Dx() > 2*canvas.Dx()+64 || r.Dy() > 2*canvas.Dy()+64 {
		return nil, fmt.Errorf("a frame of %v on a canvas of %v", r, canvas)
	}
	all := make(color.Palette, 256) // indices beyond the table are black
	for i := range all {
		switch {
		case i == transparent:
			all[i] = color.RGBA{}
		case i < len(p):
			all[i] = p[i]
		default:
			all[i] = color.RGBA{A: 255}
		}
	}
	litWidth, err := g.take(1)
	if err != nil {
		return nil, err
	}
	if litWidth[0] < 2 || litWidth[0] > 8 {
		return nil, fmt.Errorf("codes of %d bits", litWidth[0])
	}
	out := image.NewPaletted(r, all)
	z := lzw.NewReader(bytes.NewReader(g.blocks()), lzw.LSB, int(litWidth[0]))
	defer z.Close()
	if _, err := io.ReadFull(z, out.Pix); err != nil {
		return nil, err
	}
	if head[8]&0x40 != 0 {
		out.Pix = deinterlace(out.Pix, r.Dx(), r.Dy())
	}
	return out, nil
}

// deinterlace brings rows into order that come in four passes.
func deinterlace(pix []uint8, w, h int) []uint8 {
	out, at := make([]uint8, len(pix)), 0
	for _, pass := range [4][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}} {
		for y := pass[0]; y < h; y += pass[1] {
			copy(out[y*w:(y+1)*w], pix[at:])
			at += w
		}
	}
	return out
}
