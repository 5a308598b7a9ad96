// Package mask is the label map, the result of a segmentation, and its formats:
// indexed PNG, COCO files with run lengths or polygons, YOLO's text, LabelMe's JSON,
// numbers as Cityscapes has them, GeoJSON, and .npy for class scores.
//
// A [Map] holds one label for each pixel: 0 is background, i is the i-th label
// of the request. Every decoder checks the caps of this package before it
// allocates; errors wrap [ErrFormat], [ErrSize] or [ErrTooLarge].
package mask

import (
	"errors"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/internal/limits"
)

var (
	// ErrFormat is wrapped by errors for bytes that are no label map.
	ErrFormat = errors.New("not a readable label map")
	// ErrSize is wrapped by errors for sizes that do not fit together, such as
	// a mask of another size than its photo.
	ErrSize = errors.New("sizes do not fit")
	// ErrTooLarge is wrapped by errors for maps beyond the largest size.
	ErrTooLarge = limits.ErrTooLarge
)

// Ignore is the label that benchmarks such as PASCAL VOC give to pixels that
// do not count. It is a convention of their files: a Map of more than 254
// labels uses 255 as any other.
const Ignore = 255

// Map is a label for each pixel, row-major: Labels has Width·Height elements,
// 0 for background and i for the i-th label. A Map is safe for concurrent
// reading.
type Map struct {
	Width, Height int
	Labels        []uint16
}

// New returns a map that is all background. Errors wrap ErrSize or ErrTooLarge.
func New(width, height int) (*Map, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	return &Map{width, height, make([]uint16, width*height)}, nil
}

// newRead is New for a size that a file claims, which is not to claim too much memory.
func newRead(width, height int) (*Map, error) {
	if err := checkRead(width, height); err != nil {
		return nil, err
	}
	return New(width, height)
}

func checkRead(width, height int) error {
	return limits.Check("number of pixels", "mask", int64(width)*int64(height), limits.ImagePixels, "make it smaller")
}

func checkSize(width, height int) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("mask of %d×%d pixels: %w: every side must be at least 1", width, height, ErrSize)
	}
	if err := limits.Check("longer side in pixels", "mask", int64(max(width, height)), limits.ImageSide, "make it smaller"); err != nil {
		return err
	}
	return limits.Check("number of pixels", "mask", int64(width)*int64(height), limits.MostPixels, "make it smaller")
}

// Validate says whether the map's size is possible and fits its labels.
func (m *Map) Validate() error {
	if m == nil {
		return fmt.Errorf("nil mask: %w", ErrSize)
	}
	if err := checkSize(m.Width, m.Height); err != nil {
		return err
	}
	if len(m.Labels) != m.Width*m.Height {
		return fmt.Errorf("mask of %d×%d pixels has %d labels: %w", m.Width, m.Height, len(m.Labels), ErrSize)
	}
	return nil
}

// Fits returns an error that wraps ErrSize unless the map is valid and has the
// size of the photo it belongs to.
func (m *Map) Fits(width, height int) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if m.Width != width || m.Height != height {
		return fmt.Errorf("mask of %d×%d pixels for a photo of %d×%d: %w: use the mask of this photo, at the photo's own size",
			m.Width, m.Height, width, height, ErrSize)
	}
	return nil
}

// At returns the label of pixel (x, y), and background outside the map.
func (m *Map) At(x, y int) uint16 {
	if x < 0 || y < 0 || x >= m.Width || y >= m.Height {
		return 0
	}
	return m.Labels[y*m.Width+x]
}

// Max returns the highest label.
func (m *Map) Max() uint16 {
	var highest uint16
	for _, l := range m.Labels {
		highest = max(highest, l)
	}
	return highest
}

// Stat describes the pixels of one label.
type Stat struct {
	Label uint16
	// Pixels is their number, Area their share of the map, 0 to 1.
	Pixels int
	Area   float64
	// Box is the smallest rectangle that holds them, [Min, Max): Max is one
	// beyond the last column and row. It is empty where Pixels is 0.
	Box image.Rectangle
}

// Stats returns one Stat for each label 0 … labels, by label; labels that do
// not occur have no pixels. Labels above that are left out.
func (m *Map) Stats(labels int) []Stat {
	stats := make([]Stat, max(labels, 0)+1)
	for i := range stats {
		stats[i].Label = uint16(i)
	}
	for y := 0; y < m.Height; y++ {
		row := m.Labels[y*m.Width : (y+1)*m.Width]
		for x := 0; x < len(row); {
			l, start := row[x], x
			for x < len(row) && row[x] == l {
				x++
			}
			if int(l) >= len(stats) {
				continue
			}
			s := &stats[l]
			s.Pixels += x - start
			s.Box = s.Box.Union(image.Rect(start, y, x, y+1))
		}
	}
	for i := range stats {
		stats[i].Area = float64(stats[i].Pixels) / float64(len(m.Labels))
	}
	return stats
}
