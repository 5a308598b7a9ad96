package pairs

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Values of a label map that name no word.
const (
	// LabelBackground is some background word, whichever.
	LabelBackground = 0
	// LabelUnknown is where nothing is known.
	LabelUnknown = 255
	// MaxLabelWords is the largest number of words of one map.
	MaxLabelWords = LabelUnknown - 1
)

// ErrLabels is why a sample with a broken label map is not used.
var ErrLabels = errors.New("broken label map")

// LabelMap says which word each place of an image shows. It covers the whole image
// at a size of its own.
type LabelMap struct {
	// Width and Height are its size.
	Width, Height int
	// Pix holds Width·Height values, row by row: [LabelBackground], i for the i-th
	// of Words from 1 on, or [LabelUnknown].
	Pix []uint8
	// Words are the words that its values name.
	Words []string
	// Classes, if any, are the only words that somebody looked for (masks of a data set
	// with few classes): whether the image shows another one is not known. Where
	// "background" is among them, places of value 0 show none of the others.
	Classes []string
}

// decodeLabels reads a label map: an indexed or grey PNG of 8 bits, whose values are
// what counts, and the words of the sample's JSON.
func decodeLabels(b []byte, words, classes []string) (*LabelMap, error) {
	bad := func(format string, args ...any) (*LabelMap, error) {
		return nil, fmt.Errorf("%w: %s", ErrLabels, fmt.Sprintf(format, args...))
	}
	if len(words) > MaxLabelWords {
		return bad("%d words, the limit is %d", len(words), MaxLabelWords)
	}
	config, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return bad("%v", err)
	}
	if n := int64(config.Width) * int64(config.Height); n < 1 || n > limits.LabelMapPixels {
		return bad("%d×%d pixels, the limit is %d", config.Width, config.Height, limits.LabelMapPixels)
	}
	im, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return bad("%v", err)
	}
	m := &LabelMap{Width: config.Width, Height: config.Height, Words: words, Classes: classes}
	var pix []uint8
	var stride int
	switch im := im.(type) {
	case *image.Paletted:
		pix, stride = im.Pix, im.Stride
	case *image.Gray:
		pix, stride = im.Pix, im.Stride
	default:
		return bad("a PNG of colours: it must be indexed or grey, of 8 bits at most")
	}
	for y := range m.Height {
		m.Pix = append(m.Pix, pix[y*stride:y*stride+m.Width]...)
	}
	if most := slices.MaxFunc(m.Pix, func(a, b uint8) int { return int(a%LabelUnknown) - int(b%LabelUnknown) }); int(most) > len(words) && most != LabelUnknown {
		return bad("the value %d names no word: \"labels\" lists %d", most, len(words))
	}
	return m, nil
}

// leaveLabels counts label maps as left out, for a training that does not learn from
// them.
func (x *Index) leaveLabels() {
	for i, e := range x.entries {
		if e.labels != none && x.first(i) == i {
			x.left.Add(".labels.png (the settings learn from captions only)")
		}
	}
}

// LabelMap decodes the sample's label map; nil without one.
func (s *Sample) LabelMap() (*LabelMap, error) {
	if s.labels == nil {
		return nil, nil
	}
	return decodeLabels(s.labels, s.labelWords, s.labelClasses)
}

// SetLabelMap gives the sample another label map; nil takes it away.
func (s *Sample) SetLabelMap(m *LabelMap) error {
	s.labels, s.labelWords, s.labelClasses = nil, nil, nil
	if m == nil {
		return nil
	}
	b, err := m.Encode()
	if err != nil {
		return err
	}
	s.labels, s.labelWords, s.labelClasses = b, m.Words, m.Classes
	return nil
}

// Encode writes a label map as the PNG of a sample in a shard.
func (m *LabelMap) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	err := e.Encode(&b, &image.Gray{Pix: m.Pix, Stride: m.Width, Rect: image.Rect(0, 0, m.Width, m.Height)})
	return b.Bytes(), err
}

// grid samples the map at the centres of n×n cells of a part r of an image of
// width×height pixels, mirrored where the image is.
func (m *LabelMap) grid(r rectangle, width, height int, flip bool, n int) []uint8 {
	out := make([]uint8, n*n)
	// In whole numbers, so that a centre on a border always falls to the same side.
	at := func(cell, from, size, whole, pixels int) int {
		return (2*n*from + (2*cell+1)*size) * pixels / (2 * n * whole)
	}
	for i := range n {
		row := m.Pix[at(i, r.y, r.height, height, m.Height)*m.Width:]
		for j := range n {
			cell := j
			if flip {
				cell = n - 1 - j
			}
			out[i*n+cell] = row[at(j, r.x, r.width, width, m.Width)]
		}
	}
	return out
}

// trimmed are texts without spaces around them; empty ones are left out.
func trimmed(list []string) []string {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
