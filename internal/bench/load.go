package bench

import (
	"fmt"
	"image"
	"os"

	"github.com/groupvit/groupvit/internal/imaging"
)

// Load reads photo i, upright by its EXIF orientation, and its truth; they must
// have the same size.
func (d *Dataset) Load(i int) (image.Image, *Truth, error) {
	truth, err := d.Truth(i)
	if err != nil {
		return nil, nil, err
	}
	s := d.Samples[i]
	photo, err := readPhoto(s.Photo)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: photo %w", ErrSample, err)
	}
	if photo.Width != truth.Width || photo.Height != truth.Height {
		return nil, nil, fmt.Errorf("%w: photo %s has %d×%d pixels, its mask has %d×%d", ErrSample, s.Photo, photo.Width, photo.Height, truth.Width, truth.Height)
	}
	return photo, truth, nil
}

func readPhoto(path string) (*imaging.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return imaging.Decode(f, imaging.Options{Name: path})
}
