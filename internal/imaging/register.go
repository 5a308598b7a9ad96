package imaging

import (
	"image"
	"slices"
)

// Format is a kind of file that a program adds to those that Decode reads.
type Format struct {
	// Name is as people say it; Extensions are in lower case with their dot.
	Name       string
	Extensions []string
	// Matches reports whether a file begins like one of the format.
	Matches func(b []byte) bool
	// Size returns the size in pixels of what Decode returns, from the header alone.
	Size func(b []byte) (width, height int, err error)
	// Decode returns the picture, and Orientation (1 to 8, as EXIF's) how it is to be
	// turned. note is told what a user should know of it.
	Decode      func(b []byte, note func(string)) (image.Image, error)
	Orientation func(b []byte) int
}

// Register adds a format, in place of one of the same name. Call it from init, before
// anything is read.
func Register(f Format) {
	formats = slices.DeleteFunc(formats, func(old format) bool { return old.name == f.Name })
	formats = append(formats, format{
		name: f.Name, extensions: f.Extensions, matches: f.Matches, enough: enoughAlways, orientation: f.Orientation,
		config: func(b []byte) (image.Config, error) {
			w, h, err := f.Size(b)
			return image.Config{Width: w, Height: h}, err
		},
		decode: func(b []byte, note func(string)) (*Image, error) {
			src, err := f.Decode(b, note)
			if err != nil {
				return nil, err
			}
			return convert(src, false), nil
		},
	})
}
