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
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	return im, nil
}

// resize resizes bilinearly, averaging where it shrinks, as Pillow does.
func resize(im *Image, width, height int) (*Image, error) {
	return imaging.ResizePIL(im, width, height, imaging.Bilinear)
}
