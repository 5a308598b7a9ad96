package imaging

import (
	"image"
	"image/color"

	"github.com/groupvit/groupvit/internal/imaging/rgb"
)

// convert makes RGB of what a decoder returned. studio marks WebP's YCbCr,
// whose samples are in studio range (BT.601, 16–235), not JFIF's full range.
func convert(src image.Image, studio bool) *Image {
	b := src.Bounds()
	out := New(b.Dx(), b.Dy())
	switch src := src.(type) {
	case *image.YCbCr:
		rgb.YCbCr(out.Pix, src, studio)
	case *image.NYCbCrA:
		rgb.YCbCr(out.Pix, &src.YCbCr, studio)
		for y := range out.Height {
			rgb.Alpha(out.Row(y), src.A[y*src.AStride:])
		}
	case *image.Gray:
		for y := range out.Height {
			rgb.Gray(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.RGBA:
		for y := range out.Height {
			rgb.Premultiplied(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.NRGBA:
		for y := range out.Height {
			rgb.Straight(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.CMYK:
		for y := range out.Height {
			rgb.CMYK(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.Paletted:
		fromPaletted(out, src)
	default:
		for y := range out.Height {
			row := out.Row(y)
			for x := range out.Width {
				c := color.NRGBA64Model.Convert(src.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA64)
				// The high byte, as Pillow does with 16-bit samples.
				rgb.Blend(row[3*x:3*x+3], uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8), uint8(c.A>>8))
			}
		}
	}
	return out
}

func fromPaletted(out *Image, src *image.Paletted) {
	var table [256][3]uint8
	for i, c := range src.Palette {
		if i == len(table) {
			break
		}
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		rgb.Blend(table[i][:], n.R, n.G, n.B, n.A)
	}
	for y := range out.Height {
		row := out.Row(y)
		for x, v := range src.Pix[y*src.Stride:][:out.Width] {
			copy(row[3*x:3*x+3], table[v][:])
		}
	}
}
