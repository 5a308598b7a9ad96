package imaging

import (
	"image"

	"github.com/groupvit/groupvit/internal/imaging/tiff"
)

func sizeTIFF(b []byte) (image.Config, error) {
	h, err := tiff.ReadHeader(b)
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{Width: h.Width, Height: h.Height}, nil
}

// enoughTIFF: the header has been read before, so that it is there.
func enoughTIFF(b []byte, _ image.Config) bool {
	h, err := tiff.ReadHeader(b)
	return err == nil && h.Enough(int64(len(b)))
}

func uprightTIFF(b []byte) int {
	h, err := tiff.ReadHeader(b)
	if err != nil {
		return 1
	}
	return h.Orientation
}

func decodeTIFF(b []byte, note func(string)) (*Image, error) {
	h, err := tiff.ReadHeader(b)
	if err != nil {
		return nil, err
	}
	pix, err := h.Decode(b, note)
	if err != nil {
		return nil, err
	}
	return &Image{Width: h.Width, Height: h.Height, Pix: pix}, nil
}
