package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"

	"golang.org/x/image/webp"
)

func isWebP(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
}

// decodeWebP reads a still picture, or the first frame of an animation. What the library
// does not take as it is, is joined anew from its chunks.
func decodeWebP(b []byte, _ func(string)) (*Image, error) {
	src, err := webp.Decode(bytes.NewReader(b))
	if err == nil {
		return convert(src, true), nil
	}
	f := firstWebP(b)
	if f.data == nil {
		return nil, err
	}
	if src, err = webp.Decode(bytes.NewReader(f.file())); err != nil {
		return nil, err
	}
	frame := convert(src, true)
	if f.canvas == (image.Point{}) || f.at == (image.Point{}) && f.canvas == src.Bounds().Size() {
		return frame, nil
	}
	return f.onCanvas(frame)
}

// webpChunks walks RIFF chunks: name, length, data, padding to even.
func webpChunks(b []byte) func(yield func(name string, data []byte) bool) {
	return func(yield func(name string, data []byte) bool) {
		for at := 0; at+8 <= len(b); {
			size := uint64(binary.LittleEndian.Uint32(b[at+4:]))
			data := b[at+8:]
			if size > uint64(len(data)) {
				return
			}
			if !yield(string(b[at:at+4]), data[:size]) {
				return
			}
			at += 8 + int(size+size&1)
		}
	}
}

// webpFrame is a picture's data, and where it lies on which canvas.
type webpFrame struct {
	name        string // VP8 or VP8L
	data, alpha []byte
	canvas, at  image.Point
	size        image.Point
}

func int24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// firstWebP finds the data of the first picture.
func firstWebP(b []byte) (f webpFrame) {
	f.take(b[12:])
	return f
}

// webpAlpha is the flag of a picture with alpha.
const webpAlpha = 1 << 4

func (f *webpFrame) take(chunks []byte) {
	opaque := false
	for name, data := range webpChunks(chunks) {
		switch name {
		case "VP8X":
			if len(data) >= 10 {
				f.canvas = image.Pt(1+int24(data[4:]), 1+int24(data[7:]))
				f.size = f.canvas
				opaque = data[0]&webpAlpha == 0
			}
		case "ALPH": // libwebp does not look at it either without the flag
			if !opaque {
				f.alpha = data
			}
		case "VP8 ", "VP8L":
			f.name, f.data = name, data
			return
		case "ANMF": // a frame has chunks of its own
			if len(data) >= 16 {
				f.at = image.Pt(2*int24(data), 2*int24(data[3:]))
				f.size = image.Pt(1+int24(data[6:]), 1+int24(data[9:]))
				f.alpha = nil
				f.take(data[16:])
				return
			}
		}
	}
}

// file is a still picture of the frame.
func (f *webpFrame) file() []byte {
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	chunk := func(name string, data []byte) {
		out = binary.LittleEndian.AppendUint32(append(out, name...), uint32(len(data)))
		out = append(out, data...)
		if len(data)&1 == 1 {
			out = append(out, 0)
		}
	}
	if f.name == "VP8 " && f.alpha != nil {
		w, h := f.size.X-1, f.size.Y-1
		chunk("VP8X", []byte{webpAlpha, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
		chunk("ALPH", f.alpha)
	}
	chunk(f.name, f.data)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// onCanvas places a frame on the canvas of its animation; around it is nothing, which is
// white.
func (f *webpFrame) onCanvas(frame *Image) (*Image, error) {
	if f.at.X+frame.Width > f.canvas.X || f.at.Y+frame.Height > f.canvas.Y {
		return nil, errors.New("a frame beyond its canvas")
	}
	out := New(f.canvas.X, f.canvas.Y)
	for i := range out.Pix {
		out.Pix[i] = 255
	}
	for y := range frame.Height {
		copy(out.Row(f.at.Y + y)[3*f.at.X:], frame.Row(y))
	}
	return out, nil
}

// sizeWebP reads the canvas of an animation, or the picture's size.
func sizeWebP(b []byte) (image.Config, error) {
	c, err := webp.DecodeConfig(bytes.NewReader(b))
	if err == nil {
		return c, nil
	}
	f := firstWebP(b)
	if f.data == nil {
		return c, err
	}
	if f.canvas != (image.Point{}) {
		return image.Config{Width: f.canvas.X, Height: f.canvas.Y}, nil
	}
	return webp.DecodeConfig(bytes.NewReader(f.file()))
}

// orientationWebP reads EXIF, else XMP.
func orientationWebP(b []byte) int {
	var xmp []byte
	for name, data := range webpChunks(b[12:]) {
		switch name {
		case "EXIF":
			return orientationEXIF(data)
		case "XMP ":
			xmp = data
		}
	}
	return orientationXMP(xmp)
}
