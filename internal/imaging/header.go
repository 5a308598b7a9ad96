package imaging

import (
	"bytes"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/internal/limits"
)

func prefix(magic string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(magic)) }
}

// deflateRatio is the highest ratio of deflate, 1032:1, rounded up.
const deflateRatio = 1040

func pixels(c image.Config) int64 { return int64(c.Width) * int64(c.Height) }

// enoughJPEG: each 8×8 block of the finest component takes at least one bit.
func enoughJPEG(b []byte, c image.Config) bool { return pixels(c) <= 64*8*int64(len(b)) }

// scansJPEG counts start-of-scan markers. In coded data 0xff is always followed by
// 0 or a restart marker, so that only metadata can hold a few more.
func scansJPEG(b []byte) int { return bytes.Count(b, []byte("\xff\xda")) }

// enoughPNG: rows of at least one bit a pixel, deflated.
func enoughPNG(b []byte, c image.Config) bool {
	bits := int64(1)
	if len(b) > 24 { // IHDR's bit depth; more than one channel only makes more
		bits = int64(b[24])
	}
	return (int64(c.Width)*bits+7)/8*int64(c.Height) <= deflateRatio*int64(len(b))
}

// enoughGIF: an LZW code of at most 12 bits stands for at most 4,096 pixels.
// The first frame may be smaller than the canvas, which is one byte a pixel.
func enoughGIF(b []byte, c image.Config) bool {
	return pixels(c) <= 4096*int64(len(b)) || pixels(c) <= 1<<20
}

// enoughAlways: WebP's entropy coding has no lower bound a pixel.
func enoughAlways([]byte, image.Config) bool { return true }

// Info is what the header of a photo says.
type Info struct {
	// Format is JPEG, PNG, GIF, WebP, BMP, TIFF or PNM, or one that was registered.
	Format string
	// Width and Height are those of the upright image, in pixels.
	Width, Height int
	// Orientation is EXIF's, 1 (upright) to 8.
	Orientation int
}

// Probe reads the header of an encoded photo: no pixel is decoded.
// Errors wrap ErrFormat or ErrTooLarge and begin with name.
func Probe(b []byte, name string) (Info, error) {
	_, info, err := probe(b, Options{Name: name}.withDefaults())
	return info, err
}

func probe(b []byte, o Options) (format, Info, error) {
	if len(b) == 0 {
		return format{}, Info{}, fmt.Errorf("%s: %w: the file is empty", o.Name, ErrFormat)
	}
	f, ok := sniff(b)
	if !ok {
		return format{}, Info{}, fmt.Errorf("%s: %w: %w", o.Name, ErrFormat, unknown(b))
	}
	c, err := guard(func() (image.Config, error) { return f.config(b) })
	if err != nil {
		return f, Info{}, fault(o.Name, f, "header", err)
	}
	if err := checkSize(o.Name, c.Width, c.Height, o.MaxPixels, o.Mend); err != nil {
		return f, Info{}, err
	}
	if !f.enough(b, c) {
		return f, Info{}, fmt.Errorf("%s: %w: its header claims %d×%d pixels, more than %d bytes of %s can hold: it is truncated or forged",
			o.Name, ErrFormat, c.Width, c.Height, len(b), f.name)
	}
	if f.scans != nil {
		if err := limits.Check("the number of scans", o.Name, int64(f.scans(b)), limits.JPEGScans, "save it again"); err != nil {
			return f, Info{}, err
		}
	}
	info := Info{f.name, c.Width, c.Height, f.orientation(b)}
	if info.Orientation >= 5 {
		info.Width, info.Height = info.Height, info.Width
	}
	return f, info, nil
}

// guard turns a decoder's panic into an error: decoders read hostile bytes.
func guard[T any](read func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the decoder failed: %v", r)
		}
	}()
	return read()
}
