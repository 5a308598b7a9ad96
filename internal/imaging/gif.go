package imaging

import (
	"bytes"
	"image"
	"image/gif"
)

// decodeGIF reads the first frame.
func decodeGIF(b []byte, _ func(string)) (*Image, error) {
	frame, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return convert(onCanvas(frame, b), false), nil
}

// onCanvas places a GIF's first frame, which may be smaller, on its canvas of
// the size in the header.
func onCanvas(frame image.Image, b []byte) image.Image {
	canvas := image.Rect(0, 0, int(b[6])|int(b[7])<<8, int(b[8])|int(b[9])<<8)
	p, ok := frame.(*image.Paletted)
	if !ok || p.Rect == canvas {
		return frame
	}
	out := image.NewNRGBA(canvas)
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			out.Set(x, y, p.At(x, y))
		}
	}
	return out
}
