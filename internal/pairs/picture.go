package pairs

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/imaging"
)

// Image is a decoded RGB picture.
type Image = imaging.Image

// decode decodes a stored picture.
func decode(b []byte) (*Image, error) {
	im, err := imaging.DecodeBytes(b, imaging.Options{Name: "picture"})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	return im, nil
}

// Interpolations of the resizing.
const (
	Bilinear = "bilinear"
	Bicubic  = "bicubic"
)

// resize resizes, averaging where it shrinks, as Pillow does.
func (a Augment) resize(im *Image, width, height int) (*Image, error) {
	filter := imaging.Bilinear
	if a.Interpolation == Bicubic {
		filter = imaging.Bicubic
	}
	return imaging.ResizePIL(im, width, height, filter)
}

// resize resizes bilinearly.
func resize(im *Image, width, height int) (*Image, error) {
	return Augment{}.resize(im, width, height)
}
