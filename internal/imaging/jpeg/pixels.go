package jpeg

import (
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/imaging/rgb"
)

// lostMost is the largest share of a picture that may be missing.
const lostMost = 0.5

// Decode reads a JPEG as rows of RGB, 3·Width·Height bytes. note is called with what is
// missing of a file that is damaged; one that lacks more than half is an error. Errors
// wrap ErrFormat or ErrUnsupported.
func Decode(b []byte, note func(string)) (*Image, []uint8, error) {
	im := &Image{b: b, adobe: -1}
	if err := im.segments(im.scan, false); err != nil {
		return nil, nil, err
	}
	if err := im.complete(note); err != nil {
		return nil, nil, err
	}
	return im, im.pixels(), nil
}

// complete reports what is missing.
func (im *Image) complete(note func(string)) error {
	if len(im.components) == 0 {
		return damaged("it ends before its size")
	}
	for i := range im.components {
		if im.components[i].first != math.MaxUint64 {
			return damaged("its data ends too early")
		}
	}
	if im.lost == 0 {
		return nil
	}
	share := float64(im.lost) / float64(im.blocks)
	if share > lostMost {
		return damaged("its data ends too early: %.0f %% of it are missing", 100*share)
	}
	if note != nil {
		note(fmt.Sprintf("it is damaged or cut: %.1f %% of its data are missing, and grey", 100*share))
	}
	return nil
}

// pixels transforms all blocks and converts their colours.
func (im *Image) pixels() []uint8 {
	planes := make([]rgb.Plane, len(im.components))
	for i := range im.components {
		c := &im.components[i]
		planes[i] = rgb.Plane{
			Pix: im.transform(c), Stride: 8 * c.across, Width: ceil(im.Width*c.h, im.hMax), Height: ceil(im.Height*c.v, im.vMax),
			H: c.h, V: c.v, HMax: im.hMax, VMax: im.vMax,
		}
		c.coefficients = nil
	}
	rows := make([][]uint8, len(planes))
	for i := range rows {
		rows[i] = make([]uint8, im.Width+1)
	}
	convert := im.converter()
	out := make([]uint8, 3*im.Width*im.Height)
	for y := range im.Height {
		for i := range planes {
			planes[i].Row(rows[i][:im.Width], y)
		}
		convert(out[3*im.Width*y:][:3*im.Width], rows)
	}
	return out
}

// converter follows libjpeg's guess of what components mean.
func (im *Image) converter() func(out []uint8, rows [][]uint8) {
	w := im.Width
	switch len(im.components) {
	case 1:
		return func(out []uint8, rows [][]uint8) { rgb.Gray(out, rows[0]) }
	case 3:
		if im.isRGB() {
			return func(out []uint8, rows [][]uint8) {
				for x := range w {
					out[3*x], out[3*x+1], out[3*x+2] = rows[0][x], rows[1][x], rows[2][x]
				}
			}
		}
		return func(out []uint8, rows [][]uint8) { rgb.JFIF(out, rows[0][:w], rows[1], rows[2]) }
	}
	ink := make([]uint8, 4*w)
	return func(out []uint8, rows [][]uint8) { // inks are stored inverted, as Adobe does
		if im.adobe == 2 { // YCCK
			rgb.JFIF(out, rows[0][:w], rows[1], rows[2])
			for x := range w {
				ink[4*x], ink[4*x+1], ink[4*x+2], ink[4*x+3] = out[3*x], out[3*x+1], out[3*x+2], 255-rows[3][x]
			}
		} else {
			for x := range w {
				for c := range 4 {
					ink[4*x+c] = 255 - rows[c][x]
				}
			}
		}
		rgb.CMYK(out, ink)
	}
}

func (im *Image) isRGB() bool {
	switch {
	case im.jfif:
		return false
	case im.adobe >= 0:
		return im.adobe == 0
	}
	return im.components[0].id == 'R' && im.components[1].id == 'G' && im.components[2].id == 'B'
}

// cosines are those of the inverse transform (T.81, A.3.3): [u][x] = c(u)/2 · cos((2x+1)uπ/16).
var cosines = func() (t [8][8]float32) {
	for u := range t {
		scale := 0.5
		if u == 0 {
			scale = 0.5 / math.Sqrt2
		}
		for x := range t[u] {
			t[u][x] = float32(scale * math.Cos(float64((2*x+1)*u)*math.Pi/16))
		}
	}
	return t
}()

// transform makes a component's samples from its coefficients.
func (im *Image) transform(c *component) []uint8 {
	stride := 8 * c.across
	out := make([]uint8, stride*8*c.down)
	quant := &im.quant[c.quant]
	for i := range c.across * c.down {
		inverse(c.coefficients[64*i:][:64], quant, out[i/c.across*8*stride+i%c.across*8:], stride)
	}
	return out
}

func inverse(coefficients []int16, quant *[64]uint16, out []uint8, stride int) {
	var rows [8][8]float32 // [v][x]: transformed along x
	used := 0
	for v := range 8 {
		for u := range 8 {
			k := coefficients[8*v+u]
			if k == 0 {
				continue
			}
			used = v + 1
			f, cos := float32(int32(k)*int32(quant[8*v+u])), &cosines[u]
			for x := range 8 {
				rows[v][x] += f * cos[x]
			}
		}
	}
	for y := range 8 {
		sum := [8]float32{128.5, 128.5, 128.5, 128.5, 128.5, 128.5, 128.5, 128.5}
		for v := range used {
			cos := cosines[v][y]
			for x := range 8 {
				sum[x] += rows[v][x] * cos
			}
		}
		to := out[y*stride:][:8]
		for x, f := range sum {
			to[x] = uint8(min(max(f, 0), 255))
		}
	}
}
