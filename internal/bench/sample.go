package bench

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"

	"github.com/groupvit/groupvit/internal/limits"
)

// Truth is a mask in labels of the dataset's classes.
type Truth struct {
	// Width and Height are in pixels.
	Width, Height int
	// Labels holds one label a pixel, row by row: an index of
	// [Dataset.Classes], or [Ignore].
	Labels []uint8
}

// Truth reads the mask of sample i.
func (d *Dataset) Truth(i int) (*Truth, error) {
	s := d.Samples[i]
	t, err := d.readMask(s.Mask)
	if err != nil {
		return nil, fmt.Errorf("%w: mask %s: %w", ErrSample, s.Mask, err)
	}
	return t, nil
}

func (d *Dataset) readMask(path string) (*Truth, error) {
	content, err := readFile(path, limits.ImageBytes)
	if err != nil {
		return nil, err
	}
	return decodeMask(content, &d.labels)
}

// pngDepth is where a PNG says how many bits a value has: 8 bytes of signature,
// 8 of the first chunk's head, 8 of width and height.
const pngDepth = 24

// decodeMask reads a PNG whose pixels are numbers of classes and looks them up in
// labels: indexed, grey of up to 16 bits, or of colours whose channels are equal, as
// some programs save grey.
func decodeMask(content []byte, labels *[256]int16) (*Truth, error) {
	header, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("no PNG: %w", err)
	}
	if err := checkSize(header.Width, header.Height); err != nil {
		return nil, err
	}
	im, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("damaged PNG: %w", err)
	}
	value := maskValues(im, content[pngDepth])
	t := &Truth{Width: header.Width, Height: header.Height, Labels: make([]uint8, header.Width*header.Height)}
	for y := range t.Height {
		for x := range t.Width {
			v, err := value(x, y)
			if err != nil {
				return nil, fmt.Errorf("at (%d, %d) %w", x, y, err)
			}
			if v >= len(labels) || labels[v] < 0 {
				return nil, fmt.Errorf("value %d at (%d, %d) is no class: is it the right dataset?", v, x, y)
			}
			t.Labels[y*t.Width+x] = uint8(labels[v])
		}
	}
	return t, nil
}

// maskValues returns what reads the value of a pixel. depth is the number of bits of a
// value in the file.
func maskValues(im image.Image, depth byte) func(x, y int) (int, error) {
	switch im := im.(type) {
	case *image.Paletted:
		return func(x, y int) (int, error) { return int(im.ColorIndexAt(x, y)), nil }
	case *image.Gray:
		scale := 1 // the decoder stretches grey of 1, 2 and 4 bits to 0…255
		if depth < 8 {
			scale = 255 / (1<<depth - 1)
		}
		return func(x, y int) (int, error) { return int(im.GrayAt(x, y).Y) / scale, nil }
	case *image.Gray16:
		return func(x, y int) (int, error) { return int(im.Gray16At(x, y).Y), nil }
	}
	wide := depth == 16
	return func(x, y int) (int, error) {
		c := color.NRGBA64Model.Convert(im.At(x, y)).(color.NRGBA64)
		switch {
		case c.R != c.G || c.G != c.B:
			return 0, errors.New("it holds colours, not classes: an indexed or grey PNG is wanted, or one with equal channels")
		case c.A != 0xffff:
			return 0, errors.New("it is transparent: a mask says what every pixel is")
		case wide:
			return int(c.R), nil
		}
		return int(c.R >> 8), nil
	}
}

// checkSize refuses pictures that are too large before they are decoded.
func checkSize(width, height int) error {
	const mend = "scale it down"
	if err := limits.Check("the longer side in pixels", "the header", int64(max(width, height)), limits.ImageSide, mend); err != nil {
		return err
	}
	return limits.Check("width times height in pixels", "the header", int64(width)*int64(height), limits.ImagePixels, mend)
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	return content, limits.Check("its size in bytes", path, int64(len(content)), limit, "scale it down")
}
