// Package webp writes WebP files of photos, lossy. The encoder is libwebp (BSD) as
// WebAssembly, through github.com/gen2brain/webp (MIT) in github.com/tetratelabs/wazero
// (Apache-2.0): a third of a JPEG's size, in several times its time. A lossless encoder in
// Go that was tried wrote files larger than PNG.
//
// That module looks for the system's library first, which needs the system's linker: a
// program without cgo would not be static any more. There the package writes nothing
// unless it is built with the tag nodynamic.
package webp

import (
	"errors"
	"fmt"
	"image"
	"io"
)

var (
	// ErrBuild is what a build without the encoder returns.
	ErrBuild = errors.New("this build cannot write WebP; build it with -tags nodynamic, or choose JPEG")
	// ErrSize is wrapped by errors for pictures that no WebP can hold.
	ErrSize = errors.New("impossible size")
)

// MaxSide is the longest side of a WebP, in pixels.
const MaxSide = 16_383

// The encoder's settings: quality from 0 to 100, and how hard it tries, from 0 to 6.
const (
	quality = 85
	method  = 1
)

// Encode writes an opaque picture. Errors wrap ErrSize or ErrBuild, or are w's.
func Encode(w io.Writer, m *image.RGBA) error {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide {
		return fmt.Errorf("webp: %d×%d pixels: %w: a side has 1 to %d; write PNG or JPEG", width, height, ErrSize, MaxSide)
	}
	if m.Stride != 4*width { // the encoder takes whole pictures
		whole := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			copy(whole.Pix[y*whole.Stride:(y+1)*whole.Stride], m.Pix[y*m.Stride:])
		}
		m = whole
	}
	return encode(w, m)
}
