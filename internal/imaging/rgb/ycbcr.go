package rgb

import "image"

// YCbCr converts luma and chroma to rows of RGB, 3·width·height bytes, as libjpeg does,
// which Pillow and OpenCV use: chroma that was halved is interpolated with weights 3:1
// between neighbours ("fancy upsampling"), where the standard library repeats it. The
// network's reference results were made from such pixels.
// studio selects WebP's range, as libwebp converts it.
func YCbCr(out []uint8, src *image.YCbCr, studio bool) {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	row := func(y int) []uint8 { return out[3*w*y:][:3*w] }
	halfX, halfY := 1, 1
	switch src.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		halfX = 2
	case image.YCbCrSubsampleRatio420:
		halfX, halfY = 2, 2
	case image.YCbCrSubsampleRatio440:
		halfY = 2
	case image.YCbCrSubsampleRatio444:
	default: // 4:1:1 and 4:1:0 are rare; repeat
		repeatChroma(row, src)
		return
	}
	if (src.Rect.Min.X|src.Rect.Min.Y)&1 != 0 { // a crop that begins inside a chroma sample
		repeatChroma(row, src)
		return
	}
	cw, ch := (w+halfX-1)/halfX, (h+halfY-1)/halfY
	cb, cr := make([]uint8, w+1), make([]uint8, w+1)
	sums := make([]int32, cw)
	for y := range h {
		near := min(y/halfY, ch-1)
		far, lower := near, 0
		if halfY == 2 {
			if lower = y & 1; lower == 1 {
				far = min(near+1, ch-1)
			} else {
				far = max(near-1, 0)
			}
		}
		for _, plane := range [2]struct{ from, to []uint8 }{{src.Cb, cb}, {src.Cr, cr}} {
			a := plane.from[near*src.CStride:][:cw]
			b := plane.from[far*src.CStride:][:cw]
			upsample(plane.to, a, b, sums, halfX, halfY, lower)
		}
		luma := src.Y[y*src.YStride:][:w]
		if studio {
			studioRow(row(y), luma, cb, cr)
		} else {
			JFIF(row(y), luma, cb, cr)
		}
	}
}

// upsample makes one full row of chroma from the nearer row a and the farther
// row b. The rounding terms alternate as libjpeg's do (jdsample.c).
func upsample(to, a, b []uint8, sums []int32, halfX, halfY, lower int) {
	switch {
	case halfX == 1 && halfY == 1:
		copy(to, a)
	case halfX == 1: // 4:4:0
		bias := int32(1 + lower)
		for x := range a {
			to[x] = uint8((3*int32(a[x]) + int32(b[x]) + bias) >> 2)
		}
	default:
		left, right, shift := int32(1), int32(2), 2
		if halfY == 1 { // 4:2:2
			for x, v := range a {
				sums[x] = int32(v)
			}
		} else { // 4:2:0
			left, right, shift = 8, 7, 4
			for x := range a {
				sums[x] = 3*int32(a[x]) + int32(b[x])
			}
		}
		last := len(sums) - 1
		for x, s := range sums {
			before, after := sums[max(x-1, 0)], sums[min(x+1, last)]
			to[2*x] = uint8((3*s + before + left) >> shift)
			if 2*x+1 < len(to) {
				to[2*x+1] = uint8((3*s + after + right) >> shift)
			}
		}
	}
}

// Fixed-point tables of the JFIF conversion with 16 fraction bits:
// R = Y + 1.402 Cr, G = Y − 0.344136 Cb − 0.714136 Cr, B = Y + 1.772 Cb.
var redOfCr, blueOfCb, greenOfCr, greenOfCb = jfifTables()

func jfifTables() (rr, bb, gr, gb [256]int32) {
	const half = 1 << 15
	for i := range 256 {
		x := int32(i) - 128
		rr[i] = (91881*x + half) >> 16
		bb[i] = (116130*x + half) >> 16
		gr[i] = -46802 * x
		gb[i] = -22554*x + half
	}
	return rr, bb, gr, gb
}

// JFIF converts a row of full-range luma and chroma (JFIF 1.02) to RGB.
func JFIF(row, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, v := range luma {
		y, b, r := int32(v), cb[x], cr[x]
		p := row[3*x : 3*x+3 : 3*x+3]
		p[0] = clamp8(y + redOfCr[r])
		p[1] = clamp8(y + (greenOfCb[b]+greenOfCr[r])>>16)
		p[2] = clamp8(y + blueOfCb[b])
	}
}

// studioRow is BT.601 in studio range with 14 fraction bits, as WebP defines
// its conversion.
func studioRow(row, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, v := range luma {
		y, b, r := int32(v)*19077>>8, int32(cb[x]), int32(cr[x])
		p := row[3*x : 3*x+3 : 3*x+3]
		p[0] = clamp8((y + r*26149>>8 - 14234) >> 6)
		p[1] = clamp8((y - b*6419>>8 - r*13320>>8 + 8708) >> 6)
		p[2] = clamp8((y + b*33050>>8 - 17685) >> 6)
	}
}

// repeatChroma repeats the nearest chroma sample.
func repeatChroma(row func(y int) []uint8, src *image.YCbCr) {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	cb, cr := make([]uint8, w), make([]uint8, w)
	for y := range h {
		for x := range w {
			at := src.COffset(src.Rect.Min.X+x, src.Rect.Min.Y+y)
			cb[x], cr[x] = src.Cb[at], src.Cr[at]
		}
		JFIF(row(y), src.Y[y*src.YStride:][:w], cb, cr)
	}
}

func clamp8(v int32) uint8 {
	if uint32(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return uint8(v)
}

// Plane is one component of a picture, sampled H·V times where the finest has
// HMax·VMax samples.
type Plane struct {
	Pix                   []uint8
	Stride, Width, Height int
	H, V, HMax, VMax      int
}

// Row makes row y of the component at full size. Halved components are interpolated as
// by [YCbCr], others repeated, as libjpeg does.
func (p *Plane) Row(to []uint8, y int) {
	halfX, halfY := p.HMax/p.H, p.VMax/p.V
	fancy := p.H*halfX == p.HMax && p.V*halfY == p.VMax && halfX <= 2 && halfY <= 2 && (halfX == 1 || p.Width > 2)
	if !fancy {
		row := p.Pix[min(y*p.V/p.VMax, p.Height-1)*p.Stride:]
		for x := range to {
			to[x] = row[min(x*p.H/p.HMax, p.Width-1)]
		}
		return
	}
	near := min(y/halfY, p.Height-1)
	far, lower := near, 0
	if halfY == 2 {
		if lower = y & 1; lower == 1 {
			far = min(near+1, p.Height-1)
		} else {
			far = max(near-1, 0)
		}
	}
	upsample(to, p.Pix[near*p.Stride:][:p.Width], p.Pix[far*p.Stride:][:p.Width], make([]int32, p.Width), halfX, halfY, lower)
}
