package imaging

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"

	tolerant "github.com/groupvit/groupvit/internal/imaging/jpeg"
)

// sizeJPEG and decodeJPEG use the standard library where it reads a file, package
// imaging/jpeg where it does not.
func sizeJPEG(b []byte) (image.Config, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err == nil {
		return c, nil
	}
	im, ownErr := tolerant.ReadHeader(b)
	if ownErr != nil {
		return c, better(err, ownErr)
	}
	return image.Config{Width: im.Width, Height: im.Height}, nil
}

func decodeJPEG(b []byte, note func(string)) (*Image, error) {
	src, err := guard(func() (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) })
	if err == nil {
		return convert(src, false), nil
	}
	im, pix, ownErr := tolerant.Decode(b, note)
	if ownErr != nil {
		return nil, better(err, ownErr)
	}
	return &Image{Width: im.Width, Height: im.Height, Pix: pix}, nil
}

// better is the error that says more: which kind of file is not read.
func better(err, own error) error {
	var unsupported jpeg.UnsupportedError
	if errors.Is(own, tolerant.ErrUnsupported) || errors.As(err, &unsupported) {
		return own
	}
	return err
}
