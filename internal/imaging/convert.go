package imaging

import (
	"image"
	"image/color"
)

// convert makes RGB of what a decoder returned. studio marks WebP's YCbCr,
// whose samples are in studio range (BT.601, 16–235), not JFIF's full range.
func convert(src image.Image, studio bool) *Image {
	b := src.Bounds()
	out := New(b.Dx(), b.Dy())
	switch src := src.(type) {
	case *image.YCbCr:
		fromYCbCr(out, src, studio)
	case *image.NYCbCrA:
		fromYCbCr(out, &src.YCbCr, studio)
		overWhite(out, src)
	case *image.Gray:
		for y := range out.Height {
			row := out.Row(y)
			for x, v := range src.Pix[y*src.Stride:][:out.Width] {
				row[3*x], row[3*x+1], row[3*x+2] = v, v, v
			}
		}
	case *image.RGBA:
		for y := range out.Height {
			premultiplied(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.NRGBA:
		for y := range out.Height {
			straight(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.CMYK:
		for y := range out.Height {
			fromCMYK(out.Row(y), src.Pix[y*src.Stride:])
		}
	case *image.Paletted:
		fromPaletted(out, src)
	default:
		for y := range out.Height {
			row := out.Row(y)
			for x := range out.Width {
				c := color.NRGBA64Model.Convert(src.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA64)
				// The high byte, as Pillow does with 16-bit samples.
				blend(row[3*x:3*x+3], uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8), uint8(c.A>>8))
			}
		}
	}
	return out
}

// blend composites a straight-alpha colour over white.
func blend(to []uint8, r, g, b, a uint8) {
	if a == 255 {
		to[0], to[1], to[2] = r, g, b
		return
	}
	to[0], to[1], to[2] = over(r, a), over(g, a), over(b, a)
}

// over is round((v·a + 255·(255−a)) / 255).
func over(v, a uint8) uint8 {
	return uint8((uint32(v)*uint32(a) + 255*(255-uint32(a)) + 127) / 255)
}

func straight(row, pix []uint8) {
	for i, o := 0, 0; i < len(row); i, o = i+3, o+4 {
		blend(row[i:i+3], pix[o], pix[o+1], pix[o+2], pix[o+3])
	}
}

func premultiplied(row, pix []uint8) {
	for i, o := 0, 0; i < len(row); i, o = i+3, o+4 {
		to, p := row[i:i+3:i+3], pix[o:o+4:o+4]
		rest := 255 - p[3]
		// A colour above its alpha is not premultiplied: saturate, don't wrap.
		to[0] = uint8(min(255, uint32(p[0])+uint32(rest)))
		to[1] = uint8(min(255, uint32(p[1])+uint32(rest)))
		to[2] = uint8(min(255, uint32(p[2])+uint32(rest)))
	}
}

// fromCMYK is the plain conversion without a colour profile: (255−C)(255−K)/255.
func fromCMYK(row, pix []uint8) {
	for i, o := 0, 0; i < len(row); i, o = i+3, o+4 {
		light := 255 - uint32(pix[o+3])
		for c := range 3 {
			row[i+c] = uint8((light*(255-uint32(pix[o+c])) + 127) / 255)
		}
	}
}

func fromPaletted(out *Image, src *image.Paletted) {
	var table [256][3]uint8
	for i, c := range src.Palette {
		if i == len(table) {
			break
		}
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		blend(table[i][:], n.R, n.G, n.B, n.A)
	}
	for y := range out.Height {
		row := out.Row(y)
		for x, v := range src.Pix[y*src.Stride:][:out.Width] {
			copy(row[3*x:3*x+3], table[v][:])
		}
	}
}

func overWhite(out *Image, src *image.NYCbCrA) {
	for y := range out.Height {
		row := out.Row(y)
		for x, a := range src.A[y*src.AStride:][:out.Width] {
			p := row[3*x : 3*x+3]
			blend(p, p[0], p[1], p[2], a)
		}
	}
}
