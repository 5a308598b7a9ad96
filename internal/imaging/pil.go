package imaging

import (
	"fmt"
	"image"
	"math"

	"github.com/groupvit/groupvit/internal/limits"
)

// Pillow's fixed-point format: 8 bits of pixel and 2 of headroom for the
// overshoot of the kernel leave 22 of 32 for the fraction.
const pilBits = 32 - 8 - 2

// pilTaps are the weights of one axis: output i takes the weights
// [i·size, i·size+count[i]) from the source elements from first[i] on.
type pilTaps struct {
	size         int
	first, count []int
	weights      []int32
}

// makePILTaps makes the weights of the count outputs after the first from, of an axis
// that is resized from in to out elements.
func makePILTaps(in, out, from, count int, f Filter) pilTaps {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1) // widens the filter where it shrinks: antialiasing
	support := f.support() * stretch
	t := pilTaps{size: int(math.Ceil(support))*2 + 1, first: make([]int, count), count: make([]int, count)}
	t.weights = make([]int32, count*t.size)
	raw := make([]float64, t.size)
	for i := range count {
		centre := (float64(from+i) + 0.5) * scale
		first := max(int(centre-support+0.5), 0)
		end := min(int(centre+support+0.5), in)
		var sum float64
		for k := range end - first {
			raw[k] = f.at((float64(first+k) - centre + 0.5) / stretch)
			sum += raw[k]
		}
		t.first[i], t.count[i] = first, end-first
		for k := range end - first {
			v := raw[k]
			if sum != 0 {
				v /= sum
			}
			// Round half away from zero, as C's conversion of v ± 0.5 does.
			t.weights[i*t.size+k] = int32(math.Copysign(0.5, v) + v*(1<<pilBits))
		}
	}
	return t
}

// ResizePIL resizes to width×height exactly as Pillow 13's Image.resize does for
// 8-bit images: separable, antialiased when shrinking, rounded to 8 bits between
// the passes. The horizontal pass is first, unless the height loses more than
// twice the pixels that the width loses. (Older versions of Pillow always begin
// with the horizontal pass; bicubic then differs by a few levels where the kernel
// overshoots.) Errors wrap ErrSize or ErrTooLarge.
func ResizePIL(im *Image, width, height int, f Filter) (*Image, error) {
	return ResizePart(im, width, height, f, image.Rectangle{Max: image.Pt(width, height)})
}

// ResizeCenter resizes to width×height as [ResizePIL] does and cuts cropWidth×cropHeight
// from the middle, with black around what is smaller, as the image processors of
// Hugging Face transformers do (those that resize with Pillow): an odd remainder is
// left out at the far end of a cut, and added at the near end of a border. As with
// [ResizePart] only the cut is computed. Errors wrap ErrSize or ErrTooLarge.
func ResizeCenter(im *Image, width, height int, f Filter, cropWidth, cropHeight int) (*Image, error) {
	if err := checkTarget(im, cropWidth, cropHeight); err != nil {
		return nil, err
	}
	x, fromX, n := centre(width, cropWidth)
	y, fromY, m := centre(height, cropHeight)
	part, err := ResizePart(im, width, height, f, image.Rect(fromX, fromY, fromX+n, fromY+m))
	if err != nil || n == cropWidth && m == cropHeight {
		return part, err
	}
	out := New(cropWidth, cropHeight)
	for row := range part.Height {
		copy(out.Row(y + row)[3*x:], part.Row(row))
	}
	return out, nil
}

// centre lays n elements of an axis of length into the middle of one of crop: those
// from from on lie at position at.
func centre(length, crop int) (at, from, n int) {
	if length >= crop {
		return 0, (length - crop) / 2, crop
	}
	return (crop - length + 1) / 2, 0, length
}

// resizePart is the part of what ResizePIL makes of im.
func ResizePart(im *Image, width, height int, f Filter, part image.Rectangle) (*Image, error) {
	if err := checkTarget(im, part.Dx(), part.Dy()); err != nil {
		return nil, err
	}
	if f == Nearest {
		return pilNearest(im, width, height, part), nil
	}
	from, kept := image.Pt(im.Width, im.Height), image.Rect(0, 0, im.Width, im.Height)
	if width == from.X {
		kept.Min.X, kept.Max.X = part.Min.X, part.Max.X
	}
	if height == from.Y {
		kept.Min.Y, kept.Max.Y = part.Min.Y, part.Max.Y
	}
	if width == from.X || height == from.Y {
		var err error
		if im, err = Crop(im, kept.Min.X, kept.Min.Y, kept.Dx(), kept.Dy()); err != nil {
			return nil, err
		}
	}
	lost := from.Y - height
	downFirst := lost > 0 && lost > 2*(from.X-width)
	down := func() {
		if height != from.Y {
			im = pilDown(im, makePILTaps(from.Y, height, part.Min.Y, part.Dy(), f))
		}
	}
	if downFirst {
		down()
	}
	if width != from.X {
		im = pilAcross(im, makePILTaps(from.X, width, part.Min.X, part.Dx(), f))
	}
	if !downFirst {
		down()
	}
	return im, nil
}

// pilNearest takes for each pixel of the part the one of im below its centre.
func pilNearest(im *Image, width, height int, part image.Rectangle) *Image {
	out := New(part.Dx(), part.Dy())
	columns := nearest(im.Width, width, part.Min.X, part.Dx())
	for y, row := range nearest(im.Height, height, part.Min.Y, part.Dy()) {
		from, to := im.Row(row), out.Row(y)
		for x, column := range columns {
			copy(to[3*x:3*x+3], from[3*column:])
		}
	}
	return out
}

// nearest lists the source elements of count outputs from the first on. Pillow adds
// the scale up from output to output, and so does this, for its rounding.
func nearest(in, out, first, count int) []int {
	scale := float64(in) / float64(out)
	at := scale * 0.5
	list := make([]int, count)
	for i := range first + count {
		if i >= first {
			list[i-first] = min(int(at), in-1)
		}
		at += scale
	}
	return list
}

func pilAcross(im *Image, t pilTaps) *Image {
	out := New(len(t.first), im.Height)
	for y := range im.Height {
		from, to := im.Row(y), out.Row(y)
		for x, first := range t.first {
			r, g, b := int32(1<<(pilBits-1)), int32(1<<(pilBits-1)), int32(1<<(pilBits-1))
			weights := t.weights[x*t.size:][:t.count[x]]
			p := from[3*first:][:3*len(weights)]
			for _, w := range weights {
				r += int32(p[0]) * w
				g += int32(p[1]) * w
				b += int32(p[2]) * w
				p = p[3:]
			}
			q := to[3*x : 3*x+3 : 3*x+3]
			q[0], q[1], q[2] = clamp8(r>>pilBits), clamp8(g>>pilBits), clamp8(b>>pilBits)
		}
	}
	return out
}

func pilDown(im *Image, t pilTaps) *Image {
	out := New(im.Width, len(t.first))
	sums := make([]int32, 3*im.Width)
	for y, first := range t.first {
		for i := range sums {
			sums[i] = 1 << (pilBits - 1)
		}
		for k, w := range t.weights[y*t.size:][:t.count[y]] {
			for i, v := range im.Row(first + k)[:len(sums)] {
				sums[i] += int32(v) * w
			}
		}
		to := out.Row(y)[:len(sums)]
		for i, v := range sums {
			to[i] = clamp8(v >> pilBits)
		}
	}
	return out
}

// checkTarget refuses sizes that no image can be resized to. The target may be
// as large as a photo may be.
func checkTarget(im *Image, width, height int) error {
	if im.Width < 1 || im.Height < 1 || width < 1 || height < 1 {
		return fmt.Errorf("resize %d×%d to %d×%d: %w: every side must be at least 1 pixel", im.Width, im.Height, width, height, ErrSize)
	}
	if width > limits.ImageSide || height > limits.ImageSide {
		return limits.Check("longer side in pixels", "resized image", int64(max(width, height)), limits.ImageSide, "ask for a smaller size")
	}
	return limits.Check("number of pixels", "resized image", int64(width)*int64(height), limits.ImagePixels, "ask for a smaller size")
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
