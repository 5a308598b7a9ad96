package output

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"image/color"
	"math"

	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// Planes is a map as plain bytes, compressed by zlib, for programs: a page
// inflates it with DecompressionStream, Python with zlib and numpy.frombuffer.
type Planes struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	// Bits of a label: 8, or 16 (little-endian) where there are more than 255.
	Bits int `json:"bits"`
	// Labels is the best label of every pixel, row by row.
	Labels []byte `json:"labels"`
	// Confidence is how sure that is, 0 to 255 for 0 to 1: a background threshold
	// t makes pixels below 255·t background. With the threshold in force that is the
	// answer's own map, to the pixel.
	Confidence []byte `json:"confidence,omitempty"`
	// Threshold is the one in force, 0 to 1.
	Threshold float64 `json:"threshold"`
	// Colors are those that overlays have, one a label: "#ca1a16".
	Colors []string `json:"colors"`
}

// planes makes them of an answer. Only protocol best has a confidence that a
// threshold can be compared with.
func planes(ctx context.Context, a *Answer) (any, error) {
	found := a.Found
	if !found.Report.Protocol.Probabilities() {
		p, err := PackMap(found.Map, nil, len(found.Labels))
		return p.named(found.Labels), err
	}
	c, err := found.Confidence(ctx)
	if err != nil {
		return nil, err
	}
	sure := make([]uint8, len(c.Value))
	for i, v := range c.Value {
		sure[i] = confidenceByte(float64(v), found.Threshold)
		if v < 0 { // a word of the background is more probable, whatever the threshold
			c.Likely.Labels[i] = 0
		}
	}
	p, err := PackMap(c.Likely, sure, len(found.Labels))
	if err == nil {
		p.Threshold = found.Threshold
	}
	return p.named(found.Labels), err
}

// confidenceByte rounds a confidence, on the side of the threshold where it is: a pixel
// just below it must not be rounded up to it.
func confidenceByte(v, threshold float64) uint8 {
	b := math.Round(255 * min(max(v, 0), 1))
	edge := math.Ceil(255 * threshold) // the least byte that is not below 255·threshold
	if float32(v) < float32(threshold) {
		b = min(b, edge-1)
	} else {
		b = max(b, min(edge, 255))
	}
	return uint8(max(b, 0))
}

// named gives labels the colours of their names, as overlays do.
func (p *Planes) named(labels []string) *Planes {
	for i, c := range render.Colors(labels) {
		if p != nil && i < len(p.Colors) {
			p.Colors[i] = hexColor(c)
		}
	}
	return p
}

func hexColor(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// PackMap packs a map of so many labels, and a confidence for each of its pixels
// where there is one.
func PackMap(m *mask.Map, confidence []uint8, labels int) (*Planes, error) {
	p := &Planes{Width: m.Width, Height: m.Height, Bits: 8, Colors: make([]string, labels)}
	for i := range p.Colors {
		p.Colors[i] = hexColor(render.Color(i + 1))
	}
	raw := make([]byte, 0, 2*len(m.Labels))
	if m.Max() > 255 {
		p.Bits = 16
	}
	for _, l := range m.Labels {
		raw = append(raw, byte(l))
		if p.Bits == 16 {
			raw = append(raw, byte(l>>8))
		}
	}
	var err error
	if p.Labels, err = deflate(raw); err != nil {
		return nil, err
	}
	if confidence != nil {
		p.Confidence, err = deflate(confidence)
	}
	return p, err
}

func deflate(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(raw); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
