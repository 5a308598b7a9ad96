package imaging

import "math"

// Filter is a resampling filter of [ResizePIL]: Pillow's of that name.
type Filter int

const (
	// Bilinear is a triangle of half-width 1.
	Bilinear Filter = iota
	// Bicubic is Keys' kernel with a = −0.5 and half-width 2.
	Bicubic
	// Nearest takes one pixel and does no antialiasing.
	Nearest
	// Lanczos is sinc(x)·sinc(x/3), half-width 3.
	Lanczos
	// Box is the mean of what a pixel covers, half-width ½.
	Box
	// Hamming is sinc(x) in Hamming's window, half-width 1.
	Hamming
)

// support is the half-width, in source pixels where nothing shrinks.
func (f Filter) support() float64 {
	switch f {
	case Bicubic:
		return 2
	case Lanczos:
		return 3
	case Box:
		return 0.5
	}
	return 1
}

// at is the filter's value at x, which is within the support.
func (f Filter) at(x float64) float64 {
	switch f {
	case Bicubic:
		return cubic(x, -0.5)
	case Lanczos:
		if x < -3 || x >= 3 {
			return 0
		}
		return sinc(x) * sinc(x/3)
	case Box:
		if x <= -0.5 || x > 0.5 {
			return 0
		}
		return 1
	case Hamming:
		if math.Abs(x) >= 1 {
			return 0
		}
		return sinc(x) * (float64(float32(0.54)) + float64(float32(0.46))*math.Cos(math.Pi*x)) // Pillow has them in single precision
	}
	return max(0, 1-math.Abs(x))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}
