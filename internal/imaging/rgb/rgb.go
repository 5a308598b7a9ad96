// Package rgb converts rows of pixels in other colour models to 8-bit RGB, as the tools
// do that the model was trained and measured with; transparency is composited over
// white. Every decoder of package imaging ends here.
//
// A row holds 3 bytes a pixel.
package rgb

// Blend composites a colour with straight alpha over white.
func Blend(to []uint8, r, g, b, a uint8) {
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

// Straight converts RGBA whose colours are not multiplied by alpha.
func Straight(row, pix []uint8) {
	for i, o := 0, 0; i < len(row); i, o = i+3, o+4 {
		Blend(row[i:i+3], pix[o], pix[o+1], pix[o+2], pix[o+3])
	}
}

// Premultiplied converts RGBA whose colours are multiplied by alpha.
func Premultiplied(row, pix []uint8) {
	for i, o := 0, 0; i < len(row); i, o = i+3, o+4 {
		to, p := row[i:i+3:i+3], pix[o:o+4:o+4]
		rest := 255 - p[3]
		// A colour above its alpha is not premultiplied: saturate, don't wrap.
		to[0] = uint8(min(255, uint32(p[0])+uint32(rest)))
		to[1] = uint8(min(255, uint32(p[1])+uint32(rest)))
		to[2] = uint8(min(255, uint32(p[2])+uint32(rest)))
	}
}

// CMYK is the plain conversion without a colour profile: (255−C)(255−K)/255.
func CMYK(row, pix []uint8) {
	for i, o := 0, 0; i < len(row); i, o = i+3, o+4 {
		light := 255 - uint32(pix[o+3])
		for c := range 3 {
			row[i+c] = uint8((light*(255-uint32(pix[o+c])) + 127) / 255)
		}
	}
}

// Gray repeats each value three times.
func Gray(row, pix []uint8) {
	for x, v := range pix[:len(row)/3] {
		row[3*x], row[3*x+1], row[3*x+2] = v, v, v
	}
}

// Alpha composites RGB over white with the row's alpha.
func Alpha(row, alpha []uint8) {
	for x, a := range alpha[:len(row)/3] {
		p := row[3*x : 3*x+3]
		Blend(p, p[0], p[1], p[2], a)
	}
}
