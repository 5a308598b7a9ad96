package bench

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // photos
	_ "image/png"  // photos of scenes

	"github.com/groupvit/groupvit/internal/limits"
)

// Load reads photo i and its truth; they must have the same size.
func (d *Dataset) Load(i int) (image.Image, *Truth, error) {
	truth, err := d.Truth(i)
	if err != nil {
		return nil, nil, err
	}
	s := d.Samples[i]
	photo, err := readPhoto(s.Photo)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: photo %s: %w", ErrSample, s.Photo, err)
	}
	if size := photo.Bounds().Size(); size.X != truth.Width || size.Y != truth.Height {
		return nil, nil, fmt.Errorf("%w: photo %s has %d×%d pixels, its mask has %d×%d", ErrSample, s.Photo, size.X, size.Y, truth.Width, truth.Height)
	}
	return photo, truth, nil
}

func readPhoto(path string) (image.Image, error) {
	content, err := readFile(path, limits.ImageBytes)
	if err != nil {
		return nil, err
	}
	header, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if err := checkSize(header.Width, header.Height); err != nil {
		return nil, err
	}
	photo, _, err := image.Decode(bytes.NewReader(content))
	return photo, err
}
