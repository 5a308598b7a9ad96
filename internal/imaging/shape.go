package imaging

import (
	"fmt"
	"image"
	"math"
)

// FitSize returns the size of a width×height image scaled, up or down, so that
// its long side is at most long and its short side at most short:
// f = min(long/max(w,h), short/min(w,h)), sizes ⌊side·f + 0.5⌋, at least 1.
// The paper's protocol has long 2048 and short 448.
func FitSize(width, height, short, long int) (w, h int) {
	if width < 1 || height < 1 {
		return 0, 0
	}
	f := min(float64(long)/float64(max(width, height)), float64(short)/float64(min(width, height)))
	scaled := func(side int) int { return max(1, int(math.Floor(float64(side)*f+0.5))) }
	return scaled(width), scaled(height)
}

// ShortSide returns the size of a width×height image whose short side becomes
// short and whose long side is cut off to an integer, as torchvision's
// Resize(short) does; it is used before [CenterRect].
func ShortSide(width, height, short int) (w, h int) {
	if width < 1 || height < 1 {
		return 0, 0
	}
	if width <= height {
		return short, max(1, int(int64(short)*int64(height)/int64(width)))
	}
	return max(1, int(int64(short)*int64(width)/int64(height))), short
}

// Crop copies the width×height pixels whose upper left corner is (x, y).
// A rectangle that is empty or leaves the image is an error that wraps ErrSize.
func Crop(im *Image, x, y, width, height int) (*Image, error) {
	if width < 1 || height < 1 || x < 0 || y < 0 || width > im.Width-x || height > im.Height-y {
		return nil, fmt.Errorf("crop of %d×%d at (%d,%d) from %d×%d: %w", width, height, x, y, im.Width, im.Height, ErrSize)
	}
	out := New(width, height)
	for row := range height {
		copy(out.Row(row), im.Row(y + row)[3*x:])
	}
	return out, nil
}

// CenterRect is the middle cropWidth×cropHeight of a width×height image, with the
// upper left corner at round((side − crop)/2), halves to even, as torchvision's
// CenterCrop has it.
func CenterRect(width, height, cropWidth, cropHeight int) image.Rectangle {
	x := int(math.RoundToEven(float64(width-cropWidth) / 2))
	y := int(math.RoundToEven(float64(height-cropHeight) / 2))
	return image.Rect(x, y, x+cropWidth, y+cropHeight)
}

// Flip mirrors left and right.
func Flip(im *Image) *Image { return orient(im, 2) }

// Normalize returns the network's input, [3, Height, Width] float32: channel
// planes R, G, B of (v/255 − mean)/std, with mean and std in units of full
// scale, as preprocessor_config.json gives them.
func Normalize(im *Image, mean, std [3]float32) []float32 {
	dst := make([]float32, 3*im.Width*im.Height)
	NormalizeInto(dst, im, mean, std)
	return dst
}

// NormalizeInto is [Normalize] into dst of 3·Width·Height elements; it panics
// if dst is shorter.
func NormalizeInto(dst []float32, im *Image, mean, std [3]float32) {
	var table [3][256]float32
	for c := range table {
		for v := range table[c] {
			table[c][v] = float32((float64(v)/255 - float64(mean[c])) / float64(std[c]))
		}
	}
	n := im.Width * im.Height
	r, g, b := dst[:n], dst[n:][:n], dst[2*n:][:n]
	for i := range n {
		p := im.Pix[3*i : 3*i+3 : 3*i+3]
		r[i], g[i], b[i] = table[0][p[0]], table[1][p[1]], table[2][p[2]]
	}
}
