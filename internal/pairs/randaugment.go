package pairs

import "math"

// RandAugment is the random choice of colour and shape changes with which
// GroupViT and DeiT train (Cubuk et al., CVPR Workshops 2020, in the form
// "rand-m9-mstd0.5-inc1" of timm): Operations drawn from fifteen with
// replacement, each applied with Chance, at a level drawn from
// N(Level, Deviation) and cut to 0…10. Its zero value does nothing.
type RandAugment struct {
	// Operations is how many are drawn; the paper's 2.
	Operations int
	// Chance is each one's chance of being applied; the paper's 0.5.
	Chance float64
	// Level is the mean level, 0 to 10; the paper's 9. Deviation is its
	// standard deviation; the paper's 0.5.
	Level, Deviation float64
}

// PaperRandAugment returns the published setting.
func PaperRandAugment() RandAugment { return RandAugment{2, 0.5, 9, 0.5} }

// fill is the colour of what a shape change brings into the picture: the mean
// colour of ImageNet.
var fill = [3]uint8{124, 116, 104}

// change is one operation as it is applied.
type change struct {
	operation   int
	level, sign float64
}

// draw chooses the operations of a picture.
func (r RandAugment) draw(d *rng) []change {
	var out []change
	for range r.Operations {
		c := change{operation: d.intn(len(operations)), sign: 1}
		if d.float() >= r.Chance {
			continue
		}
		c.level = min(max(r.Level+r.Deviation*d.normal(), 0), 10)
		if d.float() < 0.5 {
			c.sign = -1
		}
		out = append(out, c)
	}
	return out
}

// apply changes a picture in place.
func (r RandAugment) apply(d *rng, im *Image) {
	for _, c := range r.draw(d) {
		operations[c.operation].apply(im, c.level, c.sign)
	}
}

// operation is a change of a picture in place at a level, which stands for a
// strength, in one of two directions.
type operation struct {
	name  string
	apply func(im *Image, level, sign float64)
}

// operations are RandAugment's, with the strength that a level stands for. All
// grow with the level ("increasing").
var operations = []operation{
	{"auto contrast", func(im *Image, _, _ float64) { perChannel(im, autoContrast) }},
	{"equalize", func(im *Image, _, _ float64) { perChannel(im, equalize) }},
	{"invert", func(im *Image, _, _ float64) { tabled(im, func(v int) int { return 255 - v }) }},
	{"rotate", func(im *Image, level, sign float64) { rotate(im, sign*3*level) }},
	{"posterize", func(im *Image, level, _ float64) {
		keep := 4 - int(0.4*level)
		tabled(im, func(v int) int { return v &^ (1<<(8-keep) - 1) })
	}},
	{"solarize", func(im *Image, level, _ float64) {
		threshold := 256 - int(25.6*level)
		tabled(im, func(v int) int {
			if v >= threshold {
				return 255 - v
			}
			return v
		})
	}},
	{"solarize add", func(im *Image, level, _ float64) {
		add := int(11 * level)
		tabled(im, func(v int) int {
			if v < 128 {
				return min(255, v+add)
			}
			return v
		})
	}},
	{"color", func(im *Image, level, sign float64) {
		blend(im, 1+sign*0.09*level, func(at int) [3]uint8 { g := grey(im.Pix[at:]); return [3]uint8{g, g, g} })
	}},
	{"contrast", func(im *Image, level, sign float64) {
		sum := 0
		for at := 0; at < len(im.Pix); at += 3 {
			sum += int(grey(im.Pix[at:]))
		}
		g := uint8(float64(sum)/float64(len(im.Pix)/3) + 0.5)
		blend(im, 1+sign*0.09*level, func(int) [3]uint8 { return [3]uint8{g, g, g} })
	}},
	{"brightness", func(im *Image, level, sign float64) {
		blend(im, 1+sign*0.09*level, func(int) [3]uint8 { return [3]uint8{} })
	}},
	{"sharpness", func(im *Image, level, sign float64) { sharpen(im, 1+sign*0.09*level) }},
	{"shear x", func(im *Image, level, sign float64) {
		affine(im, [6]float64{1, sign * 0.03 * level, 0, 0, 1, 0})
	}},
	{"shear y", func(im *Image, level, sign float64) {
		affine(im, [6]float64{1, 0, 0, sign * 0.03 * level, 1, 0})
	}},
	{"translate x", func(im *Image, level, sign float64) {
		affine(im, [6]float64{1, 0, sign * 0.045 * level * float64(im.Width), 0, 1, 0})
	}},
	{"translate y", func(im *Image, level, sign float64) {
		affine(im, [6]float64{1, 0, 0, 0, 1, sign * 0.045 * level * float64(im.Height)})
	}},
}

// tabled replaces every value.
func tabled(im *Image, f func(int) int) {
	var table [256]uint8
	for v := range table {
		table[v] = uint8(f(v))
	}
	for i, v := range im.Pix {
		im.Pix[i] = table[v]
	}
}

// perChannel replaces every value of each channel by a table that is made of
// the channel's histogram.
func perChannel(im *Image, tableOf func(histogram *[256]int) [256]uint8) {
	for c := range 3 {
		var histogram [256]int
		for i := c; i < len(im.Pix); i += 3 {
			histogram[im.Pix[i]]++
		}
		table := tableOf(&histogram)
		for i := c; i < len(im.Pix); i += 3 {
			im.Pix[i] = table[im.Pix[i]]
		}
	}
}

func identity() (table [256]uint8) {
	for v := range table {
		table[v] = uint8(v)
	}
	return table
}

// autoContrast stretches a channel to the full range.
func autoContrast(histogram *[256]int) [256]uint8 {
	low, high := 0, 255
	for low < 255 && histogram[low] == 0 {
		low++
	}
	for high > 0 && histogram[high] == 0 {
		high--
	}
	if high <= low {
		return identity()
	}
	var table [256]uint8
	scale := 255 / float64(high-low)
	for v := range table {
		table[v] = uint8(min(max(int(float64(v)*scale-float64(low)*scale), 0), 255))
	}
	return table
}

// equalize makes a channel's values about equally frequent.
func equalize(histogram *[256]int) [256]uint8 {
	total, last, used := 0, 0, 0
	for _, n := range histogram {
		total += n
		if n > 0 {
			last = n
			used++
		}
	}
	step := (total - last) / 255
	if used <= 1 || step == 0 {
		return identity()
	}
	var table [256]uint8
	n := step / 2
	for v := range table {
		table[v] = uint8(min(n/step, 255))
		n += histogram[v]
	}
	return table
}

// grey is the ITU-R 601 luma of a pixel.
func grey(pixel []uint8) uint8 {
	return uint8((int(pixel[0])*19595 + int(pixel[1])*38470 + int(pixel[2])*7471 + 0x8000) >> 16)
}

// blend moves every pixel from what other says of it (factor 0) to itself
// (factor 1) and beyond.
func blend(im *Image, factor float64, other func(at int) [3]uint8) {
	for at := 0; at < len(im.Pix); at += 3 {
		o := other(at)
		for c := range 3 {
			from := float64(o[c])
			im.Pix[at+c] = uint8(min(max(from+factor*(float64(im.Pix[at+c])-from), 0), 255))
		}
	}
}

// sharpen blends with the picture smoothed by 3×3 weights (centre 5, others 1),
// which leaves its border as it is.
func sharpen(im *Image, factor float64) {
	source := append([]uint8(nil), im.Pix...)
	stride := 3 * im.Width
	blend(im, factor, func(at int) (smooth [3]uint8) {
		x, y := at/3%im.Width, at/stride
		for c := range 3 {
			i := at + c
			if x == 0 || y == 0 || x == im.Width-1 || y == im.Height-1 {
				smooth[c] = source[i]
				continue
			}
			sum := 4 * int(source[i])
			for _, row := range [3]int{i - stride, i, i + stride} {
				sum += int(source[row-3]) + int(source[row]) + int(source[row+3])
			}
			smooth[c] = uint8(float64(sum)/13 + 0.5)
		}
		return smooth
	})
}

// rotate turns a picture about its centre, counter-clockwise, by degrees.
func rotate(im *Image, degrees float64) {
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	x, y := float64(im.Width)/2, float64(im.Height)/2
	affine(im, [6]float64{cos, sin, x - cos*x - sin*y, -sin, cos, y + sin*x - cos*y})
}

// affine takes the value at (x, y) from (m₀x + m₁y + m₂, m₃x + m₄y + m₅) of the
// picture, bilinearly; coordinates are of pixel centres, at halves. What lies
// outside becomes [fill].
func affine(im *Image, m [6]float64) {
	source := append([]uint8(nil), im.Pix...)
	w, h := im.Width, im.Height
	for y := range h {
		for x := range w {
			px, py := float64(x)+0.5, float64(y)+0.5
			sx, sy := m[0]*px+m[1]*py+m[2], m[3]*px+m[4]*py+m[5]
			out := im.Pix[3*(y*w+x):][:3]
			if sx < 0 || sy < 0 || sx >= float64(w) || sy >= float64(h) {
				copy(out, fill[:])
				continue
			}
			sx, sy = sx-0.5, sy-0.5
			x0, y0 := int(math.Floor(sx)), int(math.Floor(sy))
			dx, dy := sx-float64(x0), sy-float64(y0)
			x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
			x0, y0 = max(x0, 0), max(y0, 0)
			for c := range 3 {
				at := func(x, y int) float64 { return float64(source[3*(y*w+x)+c]) }
				top := at(x0, y0) + dx*(at(x1, y0)-at(x0, y0))
				bottom := at(x0, y1) + dx*(at(x1, y1)-at(x0, y1))
				out[c] = uint8(top + dy*(bottom-top) + 0.5)
			}
		}
	}
}
