package tiff

import (
	"math"

	"github.com/groupvit/groupvit/internal/imaging/rgb"
)

// Decode reads the picture's pixels as rows of RGB, 3·Width·Height bytes, as stored
// (not turned), transparency over white. note is called with what a user should know
// of how numbers became colours; nil is no one. Errors wrap ErrFormat, ErrUnsupported or
// [limits.ErrTooLarge].
func (h *Header) Decode(b []byte, note func(string)) ([]uint8, error) {
	r := &reader{Header: h, b: b}
	for i := range h.inks {
		r.kept = append(r.kept, i)
	}
	alpha, multiplied := h.alpha()
	if alpha >= 0 {
		r.kept = append(r.kept, alpha)
	}
	color, err := h.converter()
	if err != nil {
		return nil, err
	}
	l, ok := h.fixedLevels()
	if !ok {
		if l, err = r.survey(); err != nil {
			return nil, err
		}
	}
	pix, err := r.pixels(l)
	if err != nil {
		return nil, err
	}
	if note != nil {
		for _, n := range []string{l.note, h.bandsNote(alpha)} {
			if n != "" {
				note(n)
			}
		}
	}
	return r.finish(pix, color, alpha >= 0, multiplied), nil
}

// bandsNote says which bands are shown where there are others.
func (h *Header) bandsNote(alpha int) string {
	if rest := h.samples - h.inks; rest > 1 || rest == 1 && alpha < 0 {
		switch h.inks {
		case 3:
			return "it has more bands than red, green and blue: the first three are taken as these"
		case 1:
			return "it has more bands than one: the first is taken as grey"
		}
	}
	return ""
}

// survey decodes the picture once to see its values.
func (r *reader) survey() (levels, error) {
	s := survey{step: max(1, r.Width*r.Height*r.inks/surveyed)}
	var values []float32
	err := r.rows(func(plane, x, y, width int, row []byte) error {
		n := r.samples
		if r.planar {
			if n = 1; plane >= r.inks {
				return nil
			}
		}
		values = resize(values, width*n)
		r.unpack(row, values)
		for i := 0; i < len(values); i += n {
			for k := 0; k < min(n, r.inks); k++ {
				s.add(values[i+k], r.noData)
			}
		}
		return nil
	})
	return s.levels(r.Header), err
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// pixels decodes the kept samples to 8 bits (indices stay what they are).
func (r *reader) pixels(l levels) ([]uint8, error) {
	n := len(r.kept)
	pix := make([]uint8, r.Width*r.Height*n)
	alpha := r.alphaLevels()
	var values []float32
	var bytes []uint8
	err := r.rows(func(plane, x, y, width int, row []byte) error {
		samples := r.samples
		if r.planar {
			samples = 1
		}
		own := row
		if r.bits != 8 || r.format != unsigned {
			values, bytes = resize(values, width*samples), resize(bytes, width*samples)
			r.unpack(row, values)
			for i, v := range values {
				if sample := plane + i%samples; sample < r.inks {
					bytes[i] = l.of(v)
				} else {
					bytes[i] = alpha.of(v)
				}
			}
			own = bytes
		}
		to := pix[(y*r.Width+x)*n:]
		for k, sample := range r.kept {
			from := sample
			if r.planar {
				if sample != plane {
					continue
				}
				from = 0
			}
			for i := range width {
				to[i*n+k] = own[i*samples+from]
			}
		}
		return nil
	})
	return pix, err
}

// converter returns how pixels of the colour's samples become RGB: a row's, width
// pixels of n samples.
func (h *Header) converter() (func(row, pix []uint8, n int), error) {
	switch h.photometric {
	case whiteIsZero:
		return eachPixel(func(to, p []uint8) { to[0], to[1], to[2] = 255-p[0], 255-p[0], 255-p[0] }), nil
	case blackIsZero, maskColor:
		return eachPixel(func(to, p []uint8) { to[0], to[1], to[2] = p[0], p[0], p[0] }), nil
	case palette:
		return h.paletteConverter()
	case separated:
		return eachPixel(func(to, p []uint8) { rgb.CMYK(to, p) }), nil
	case ycbcr:
		if codecs[h.compression].open == nil {
			break // JPEG and WebP are RGB already
		}
		return h.ycbcrConverter()
	case cieLab, iccLab:
		return h.labConverter(), nil
	}
	return eachPixel(func(to, p []uint8) { copy(to, p[:3]) }), nil
}

func eachPixel(convert func(to, p []uint8)) func(row, pix []uint8, n int) {
	return func(row, pix []uint8, n int) {
		for i, o := 0, 0; i < len(row); i, o = i+3, o+n {
			convert(row[i:i+3:i+3], pix[o:o+n])
		}
	}
}

// finish converts all rows.
func (r *reader) finish(pix []uint8, color func(row, pix []uint8, n int), alpha, multiplied bool) []uint8 {
	n := len(r.kept)
	out := make([]uint8, 3*r.Width*r.Height)
	for y := range r.Height {
		row, from := out[3*r.Width*y:][:3*r.Width], pix[n*r.Width*y:][:n*r.Width]
		color(row, from, n)
		for x := 0; alpha && x < r.Width; x++ {
			p, a := row[3*x:3*x+3], from[n*x+n-1]
			if !multiplied {
				rgb.Blend(p, p[0], p[1], p[2], a)
				continue
			}
			for c := range p { // more than its alpha is no product: saturate
				p[c] = uint8(min(255, int(p[c])+255-int(a)))
			}
		}
	}
	return out
}

// paletteConverter: 16 bits of red, then of green, then of blue for each index. Tables
// with nothing above 255 have 8 bits, as old programs wrote them.
func (h *Header) paletteConverter() (func(row, pix []uint8, n int), error) {
	table, err := h.dir.Uints(tagColorMap, 3<<16)
	if err != nil {
		return nil, err
	}
	if h.bits > 8 {
		return nil, unsupported("a palette of %d bits: save it as RGB", h.bits)
	}
	n := 1 << h.bits
	if len(table) < 3*n {
		return nil, damaged("its palette has %d numbers, not %d", len(table), 3*n)
	}
	shift := 0
	for _, v := range table[:3*n] {
		if v > 255 {
			shift = 8
		}
	}
	return eachPixel(func(to, p []uint8) {
		i := int(p[0]) & (n - 1)
		to[0], to[1], to[2] = uint8(table[i]>>shift), uint8(table[n+i]>>shift), uint8(table[2*n+i]>>shift)
	}), nil
}

// ycbcrConverter follows TIFF 6.0, section 21: coefficients of red, green and blue, and
// the codes of black and white.
func (h *Header) ycbcrConverter() (func(row, pix []uint8, n int), error) {
	k, err := h.dir.Floats(tagCoefficients, 3)
	if err != nil {
		return nil, err
	}
	ref, err := h.dir.Floats(tagReference, 6)
	if err != nil {
		return nil, err
	}
	if len(k) != 3 || !(k[1] > 0.01) {
		k = []float64{0.299, 0.587, 0.114}
	}
	if len(ref) != 6 || ref[0] == ref[1] || ref[2] == ref[3] || ref[4] == ref[5] {
		ref = []float64{0, 255, 128, 255, 128, 255}
	}
	code := func(v uint8, black, white, most float64) float64 {
		return (float64(v) - black) * most / (white - black)
	}
	level := func(v float64) uint8 { return levels{scale: 1}.of(float32(v)) }
	return eachPixel(func(to, p []uint8) {
		y, cb, cr := code(p[0], ref[0], ref[1], 255), code(p[1], ref[2], ref[3], 127), code(p[2], ref[4], ref[5], 127)
		r, b := y+cr*(2-2*k[0]), y+cb*(2-2*k[2])
		g := (y - k[0]*r - k[2]*b) / k[1]
		to[0], to[1], to[2] = level(r), level(g), level(b)
	}), nil
}

// labConverter: CIE 1976 L*a*b* under D50 to sRGB, by Bradford's adaptation to D65.
// Samples have a* and b* signed, or, of ICC's kind, with 128 for 0.
func (h *Header) labConverter() func(row, pix []uint8, n int) {
	icc := h.photometric == iccLab
	return eachPixel(func(to, p []uint8) {
		a, b := float64(int8(p[1])), float64(int8(p[2]))
		if icc {
			a, b = float64(p[1])-128, float64(p[2])-128
		}
		labToSRGB(to, float64(p[0])*100/255, a, b)
	})
}

func labToSRGB(to []uint8, l, a, b float64) {
	f := func(t float64) float64 {
		if t > 6./29 {
			return t * t * t
		}
		return 3 * (6. / 29) * (6. / 29) * (t - 4./29)
	}
	fy := (l + 16) / 116
	x, y, z := 0.96422*f(fy+a/500), f(fy), 0.82521*f(fy-b/200)
	for c, m := range [3][3]float64{ // D50 to linear sRGB
		{3.1338561, -1.6168667, -0.4906146}, {-0.9787684, 1.9161415, 0.0334540}, {0.0719453, -0.2289914, 1.4052427},
	} {
		v := m[0]*x + m[1]*y + m[2]*z
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		to[c] = levels{scale: 255}.of(float32(v))
	}
}
