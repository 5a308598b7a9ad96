package apitest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// picture is a small PNG of two colours.
var picture = func() []byte {
	im := image.NewRGBA(image.Rect(0, 0, 48, 32))
	for i := range 48 * 32 {
		c := color.RGBA{200, 60, 40, 255}
		if i%48 > 24 {
			c = color.RGBA{40, 80, 200, 255}
		}
		im.Set(i%48, i/48, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		panic(err)
	}
	return b.Bytes()
}()
