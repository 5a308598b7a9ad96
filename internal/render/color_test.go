package render

import (
	"image/color"
	"math"
	"testing"
)

// Machado, Oliveira and Fernandes (2009): linear RGB as it looks without one of
// the three kinds of cones (severity 1).
var sights = map[string][3][3]float64{
	"normal":        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"without red":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"without green": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"without blue":  {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// seen is a colour in Ottosson's OKLab, as an eye sees it; two colours 0.02
// apart are just told apart side by side.
func seen(c color.RGBA, eye [3][3]float64) (lab [3]float64) {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	in := [3]float64{linear(c.R), linear(c.G), linear(c.B)}
	product := func(m [3][3]float64, v [3]float64) (out [3]float64) {
		for i := range out {
			for k := range v {
				out[i] += m[i][k] * v[k]
			}
		}
		return out
	}
	in = product(eye, in)
	for i := range in {
		in[i] = min(max(in[i], 0), 1)
	}
	cones := product([3][3]float64{{0.4122214708, 0.5363325363, 0.0514459929}, {0.2119034982, 0.6806995451, 0.1073969566}, {0.0883024619, 0.2817188376, 0.6299787005}}, in)
	for i := range cones {
		cones[i] = math.Cbrt(cones[i])
	}
	return product([3][3]float64{{0.2104542553, 0.7936177850, -0.0040720468}, {1.9779984951, -2.4285922050, 0.4505937099}, {0.0259040371, 0.7827717662, -0.8086757660}}, cones)
}

// TestColorsForEveryEye: the first colours are told apart by all eyes that see
// any hues. The others have the names on regions.
func TestColorsForEveryEye(t *testing.T) {
	for eye, m := range sights {
		for _, c := range []struct {
			colors int
			apart  float64
		}{{3, 0.25}, {8, 0.11}, {len(first), 0.065}} {
			nearest, pair := math.Inf(1), [2]int{}
			for i := 1; i <= c.colors; i++ {
				for j := 1; j < i; j++ {
					a, b := seen(Color(i), m), seen(Color(j), m)
					if d := math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2]); d < nearest {
						nearest, pair = d, [2]int{j, i}
					}
				}
			}
			t.Logf("%s: of the first %d colours, %v are nearest: %.3f", eye, c.colors, pair, nearest)
			if nearest < c.apart {
				t.Errorf("%s: labels %d and %d are %.3f apart, of the first %d all should be %.3f", eye, pair[0], pair[1], nearest, c.colors, c.apart)
			}
		}
	}
}

// TestInkIsReadable: names on their colours have the contrast that WCAG 2 asks
// of bold text, 3:1.
func TestInkIsReadable(t *testing.T) {
	for i := 1; i <= 256; i++ {
		c := Color(i)
		a, b := luminance(c), luminance(on(c))
		if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 3 {
			t.Errorf("label %d: ink on %v has a contrast of %.2f", i, c, ratio)
		}
	}
}
