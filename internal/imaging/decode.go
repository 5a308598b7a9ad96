package imaging

import (
	"cmp"
	"fmt"
	"io"

	"github.com/groupvit/groupvit/internal/limits"
)

// Options of Decode. The zero value is the default.
type Options struct {
	// Name begins every error, as "cat.jpg"; empty means "photo".
	Name string
	// MaxBytes lowers the cap of package limits; zero, or more, means the cap itself.
	// MaxPixels is a cap of the caller's, up to [limits.MostPixels]; zero means
	// [limits.ImagePixels].
	MaxBytes, MaxPixels int64
	// Mend says what to do about a photo of more pixels; empty means "make it smaller".
	Mend string
	// KeepOrientation leaves the pixels as stored, whatever EXIF says.
	KeepOrientation bool
	// Note is called with what a user should know of a photo that is read: that
	// samples were made brighter, or bands left out. Nil is no one.
	Note func(string)
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "photo"
	}
	if o.MaxBytes <= 0 || o.MaxBytes > limits.ImageBytes {
		o.MaxBytes = limits.ImageBytes
	}
	if o.MaxPixels <= 0 {
		o.MaxPixels = limits.ImagePixels
	}
	o.MaxPixels = min(o.MaxPixels, limits.MostPixels)
	o.Mend = cmp.Or(o.Mend, smaller)
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return o
}

// Decode reads one photo of any format in the list of [Extensions], whatever its
// name says; of an animation the first frame, of several pictures the first. The
// result is 8-bit RGB, upright by its orientation in EXIF or XMP, alpha composited
// over white.
//
// Bytes and, from the header, pixels are checked against the caps before any
// pixel is allocated. Errors wrap ErrFormat or ErrTooLarge; nothing that r
// holds makes Decode panic.
func Decode(r io.Reader, o Options) (*Image, error) {
	o = o.withDefaults()
	b, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", o.Name, err)
	}
	return DecodeBytes(b, o)
}

// DecodeBytes is [Decode] for bytes in memory.
func DecodeBytes(b []byte, o Options) (*Image, error) {
	o = o.withDefaults()
	if err := limits.Check("size in bytes", o.Name, int64(len(b)), o.MaxBytes, "make it smaller"); err != nil {
		return nil, err
	}
	f, info, err := probe(b, o)
	if err != nil {
		return nil, err
	}
	im, err := guard(func() (*Image, error) { return f.decode(b, o.Note) })
	if err != nil {
		return nil, fault(o.Name, f, "data", err)
	}
	if !o.KeepOrientation {
		im = orient(im, info.Orientation)
	}
	return im, nil
}
