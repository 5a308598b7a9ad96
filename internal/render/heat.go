package render

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/groupvit/groupvit/mask"
)

// heatColors is the ramp of [Heat], 256 colours of which each is lighter than the one
// before: dark blue, violet, orange, pale yellow.
var heatColors = func() (ramp [256]color.RGBA) {
	for i := range ramp {
		t := float64(i) / 255
		hue := math.Mod(4.75+2.95*t, 2*math.Pi) // from blue over violet and red to yellow
		ramp[i] = oklch(0.20+0.74*t, 0.07+0.11*math.Sin(math.Pi*math.Pow(t, 0.8)), hue)
	}
	return ramp
}()

// HeatColor is the colour of a share, 0 to 1, of [Heat]'s range.
func HeatColor(share float64) color.RGBA {
	if !(share > 0) { // NaN too
		share = 0
	}
	return heatColors[int(math.Round(255*min(share, 1)))]
}

// Heat draws values [h·w] in colours from low to high, interpolated to width × height
// pixels. An error wraps [mask.ErrSize].
func Heat(values []float32, w, h, width, height int, low, high float64) (*image.RGBA, error) {
	if w < 1 || h < 1 || len(values) != w*h || width < 1 || height < 1 {
		return nil, fmt.Errorf("render: %d values of %d×%d places as %d×%d pixels: %w", len(values), w, h, width, height, mask.ErrSize)
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	scale := 1 / max(high-low, 1e-12)
	for y := range height {
		top, bottom, v := between(y, height, h)
		for x := range width {
			left, right, u := between(x, width, w)
			a := mixed(values[top*w+left], values[top*w+right], u)
			b := mixed(values[bottom*w+left], values[bottom*w+right], u)
			out.SetRGBA(x, y, HeatColor(((a+(b-a)*v)-low)*scale))
		}
	}
	return out, nil
}

// between are the places beside pixel i of n, among places, and how far it is from the
// first.
func between(i, n, places int) (a, b int, share float64) {
	at := min(max((float64(i)+0.5)*float64(places)/float64(n)-0.5, 0), float64(places-1))
	a = int(at)
	return a, min(a+1, places-1), at - float64(a)
}

func mixed(a, b float32, share float64) float64 {
	return float64(a) + (float64(b)-float64(a))*share
}
