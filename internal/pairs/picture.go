package pairs

import (
	"bytes"
	"fmt"

	"github.com/groupvit/groupvit/internal/pairs/interim"
)

// Image is a decoded RGB picture.
type Image = interim.Image

// decode decodes a stored picture.
func decode(b []byte) (*Image, error) {
	im, err := interim.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	return im, nil
}

// resize resizes bilinearly, averaging where it shrinks, as Pillow does.
func resize(im *Image, width, height int) *Image {
	return interim.Resize(im, width, height)
}
