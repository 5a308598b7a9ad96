package labelstudio

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"

	"github.com/groupvit/groupvit/mask"
)

// bitmaskRegions is a segment as the tag BitmaskLabels keeps it (Label Studio 1.18 and
// later): a PNG of the photo's size in a data: address, black where the segment is and
// transparent elsewhere.
func bitmaskRegions(p piece) []Region {
	return []Region{p.region(1, map[string]any{"imageDataURL": bitmask(p.found.Map, uint16(p.segment.ID))})}
}

// bitmask draws the pixels that have a label into such an address: one bit a pixel.
func bitmask(m *mask.Map, label uint16) string {
	out := image.NewPaletted(image.Rect(0, 0, m.Width, m.Height), color.Palette{color.NRGBA{}, color.NRGBA{A: 255}})
	for i, l := range m.Labels {
		if l == label {
			out.Pix[i] = 1
		}
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	_ = e.Encode(&b, out) // a buffer takes everything, and a photo's size is one that a PNG may have
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}
