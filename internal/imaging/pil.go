package imaging

import (
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/limits"
)

// Filter is a resampling filter of [ResizePIL].
type Filter int

const (
	// Bilinear is a triangle of half-width 1.
	Bilinear Filter = iota
	// Bicubic is Keys' kernel with a = −0.5 and half-width 2.
	Bicubic
)

func (f Filter) support() float64 {
	if f == Bicubic {
		return 2
	}
	return 1
}

func (f Filter) at(x float64) float64 {
	if f == Bicubic {
		return cubic(x, -0.5)
	}
	return max(0, 1-math.Abs(x))
}

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

func makePILTaps(in, out int, f Filter) pilTaps {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1) // widens the filter where it shrinks: antialiasing
	support := f.support() * stretch
	t := pilTaps{size: int(math.Ceil(support))*2 + 1, first: make([]int, out), count: make([]int, out)}
	t.weights = make([]int32, out*t.size)
	raw := make([]float64, t.size)
	for i := range out {
		centre := (float64(i) + 0.5) * scale
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
	if err := checkTarget(im, width, height); err != nil {
		return nil, err
	}
	if width == im.Width && height == im.Height {
		return im.Clone(), nil
	}
	lost := im.Height - height
	downFirst := lost > 0 && lost > 2*(im.Width-width)
	if downFirst {
		im = pilDown(im, makePILTaps(im.Height, height, f))
	}
	if width != im.Width {
		im = pilAcross(im, makePILTaps(im.Width, width, f))
	}
	if height != im.Height {
		im = pilDown(im, makePILTaps(im.Height, height, f))
	}
	return im, nil
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
// as large as a photograph may be.
func checkTarget(im *Image, width, height int) error {
	if im.Width < 1 || im.Height < 1 || width < 1 || height < 1 {
		return fmt.Errorf("resize %d×%d to %d×%d: %w: every side must be at least 1 pixel", im.Width, im.Height, width, height, ErrSize)
	}
	if width > limits.ImageSide || height > limits.ImageSide {
		return limits.Check("longer side in pixels", "resized image", int64(max(width, height)), limits.ImageSide, "ask for a smaller size")
	}
	return limits.Check("number of pixels", "resized image", int64(width)*int64(height), limits.ImagePixels, "ask for a smaller size")
}
