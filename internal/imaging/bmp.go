package imaging

import (
	"image"

	"github.com/groupvit/groupvit/internal/imaging/bmp"
)

func sizeBMP(b []byte) (image.Config, error) {
	h, err := bmp.ReadHeader(b)
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{Width: h.Width, Height: h.Height}, nil
}

func enoughBMP(b []byte, _ image.Config) bool {
	h, err := bmp.ReadHeader(b)
	return err == nil && h.Enough()
}

func decodeBMP(b []byte, _ func(string)) (*Image, error) {
	h, err := bmp.ReadHeader(b)
	if err != nil {
		return nil, err
	}
	pix, err := h.Decode()
	if err != nil {
		return nil, err
	}
	return &Image{Width: h.Width, Height: h.Height, Pix: pix}, nil
}
