package render

import (
	"image/color"
	"math"
)

// first are the colours of the first labels, in an order in which any first few
// are far apart, and red, which alarms and hides on animals, is not among them: for normal sight and, as simulated by Machado et
// al. (2009), without red, green or blue cones. A test holds them to that.
var first = []color.RGBA{
	{63, 76, 246, 255},   // blue
	{222, 126, 19, 255},  // orange
	{47, 248, 249, 255},  // cyan
	{251, 211, 48, 255},  // yellow
	{154, 14, 141, 255},  // purple
	{180, 140, 244, 255}, // lavender
	{202, 26, 22, 255},   // red
	{26, 176, 130, 255},  // green
	{166, 98, 162, 255},  // mauve
	{125, 212, 140, 255}, // pale green
	{112, 53, 192, 255},  // indigo
	{10, 114, 58, 255},   // dark green
	{234, 146, 195, 255}, // pink
	{123, 116, 227, 255}, // periwinkle
	{198, 186, 3, 255},   // olive
	{180, 60, 110, 255},  // berry
}

// Color returns the colour of the i-th label (from 1); it depends on nothing
// but i. Label 0, background, is transparent.
func Color(label int) color.RGBA {
	switch {
	case label <= 0:
		return color.RGBA{}
	case label <= len(first):
		return first[label-1]
	}
	// Hues by the golden angle are spread evenly however many there are;
	// lightness and chroma take turns.
	n := label - len(first)
	hue := 2 * math.Pi * math.Mod(float64(n)*0.61803398875+0.11, 1)
	lightness := [3]float64{0.66, 0.52, 0.78}[n%3] - 0.0005*float64(n%300)
	chroma := [2]float64{0.15, 0.11}[n/3%2]
	return oklch(lightness, chroma, hue)
}

// oklch converts from Ottosson's OKLCH (2020) to sRGB, cut to its gamut.
func oklch(l, c, h float64) color.RGBA {
	a, b := c*math.Cos(h), c*math.Sin(h)
	lm := cube(l + 0.3963377774*a + 0.2158037573*b)
	mm := cube(l - 0.1055613458*a - 0.0638541728*b)
	sm := cube(l - 0.0894841775*a - 1.2914855480*b)
	return color.RGBA{
		gamma(4.0767416621*lm - 3.3077115913*mm + 0.2309699292*sm),
		gamma(-1.2684380046*lm + 2.6097574011*mm - 0.3413193965*sm),
		gamma(-0.0041960863*lm - 0.7034186147*mm + 1.7076147010*sm),
		255,
	}
}

func cube(v float64) float64 { return v * v * v }

// gamma is sRGB's transfer curve, to 8 bits.
func gamma(v float64) uint8 {
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(max(v, 0), 1)))
}
