package groupvit

import (
	"image"
	"io"

	"github.com/groupvit/groupvit/internal/imaging"
)

// Decode reads a photo as the command does: JPEG, PNG, GIF, WebP, BMP, TIFF, Netpbm, and
// HEIC and AVIF in programs that import [github.com/groupvit/groupvit/heif]; upright by
// its orientation in EXIF or XMP, alpha over white, colours as Pillow decodes them, at
// most 64 MiB and 50 million pixels, checked before anything is allocated. name says in
// errors which photo it is. [Model.Segment] takes any image.Image; this one
// gives the command's masks to the pixel.
//
// Errors wrap [ErrTooLarge] where a limit is exceeded.
func Decode(r io.Reader, name string) (image.Image, error) {
	photo, err := imaging.Decode(r, imaging.Options{Name: name})
	if err != nil {
		return nil, err // not a nil photo in an interface
	}
	return photo, nil
}
