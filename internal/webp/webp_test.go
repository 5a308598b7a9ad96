package webp

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"
	"math"
	"testing"

	"golang.org/x/image/webp"
)

// What is written is read again by another decoder, with nearly the same colours; a part
// of a larger picture too.
func TestEncode(t *testing.T) {
	if !Available {
		t.Skip(ErrBuild)
	}
	whole := image.NewRGBA(image.Rect(0, 0, 90, 70))
	for i := range 90 * 70 {
		x, y := i%90, i/90
		whole.SetRGBA(x, y, color.RGBA{uint8(60 + x), uint8(200 - 2*y), 90, 255})
	}
	for _, m := range []*image.RGBA{whole, whole.SubImage(image.Rect(10, 20, 73, 61)).(*image.RGBA), whole.SubImage(image.Rect(5, 5, 6, 6)).(*image.RGBA)} {
		var b bytes.Buffer
		if err := Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		back, err := webp.Decode(&b)
		if err != nil || back.Bounds().Size() != m.Rect.Size() {
			t.Fatalf("%v: read again: %v", m.Rect, err)
		}
		want := m.RGBAAt(m.Rect.Min.X, m.Rect.Min.Y)
		got := videoRange(back.(*image.YCbCr).YCbCrAt(0, 0))
		for k, d := range [3]float64{float64(want.R) - got[0], float64(want.G) - got[1], float64(want.B) - got[2]} {
			if math.Abs(d) > 12 {
				t.Errorf("%v: channel %d of the first pixel is off by %.0f", m.Rect, k, d)
			}
		}
	}
}

// videoRange is the colour of a WebP's YCbCr, which is that of video (BT.601, luma from
// 16 to 235): the decoder returns it as it is.
func videoRange(c color.YCbCr) [3]float64 {
	y, cb, cr := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
	return [3]float64{y + 1.596*cr, y - 0.813*cr - 0.392*cb, y + 2.017*cb}
}

func TestSize(t *testing.T) {
	for _, r := range []image.Rectangle{{}, image.Rect(0, 0, MaxSide+1, 1), image.Rect(0, 0, 1, MaxSide+1)} {
		if err := Encode(io.Discard, image.NewRGBA(r)); !errors.Is(err, ErrSize) {
			t.Errorf("%v: %v", r, err)
		}
	}
}
