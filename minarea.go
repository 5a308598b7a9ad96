package groupvit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MinArea is the smallest connected part of a label that a result keeps. The zero value
// keeps all of them.
type MinArea struct {
	pixels int
	share  float64
}

// MinPixels keeps parts of at least so many pixels of the photo.
func MinPixels(pixels int) MinArea { return MinArea{pixels: pixels} }

// MinShare keeps parts of at least a share of the photo, 0 to 1.
func MinShare(share float64) MinArea { return MinArea{share: share} }

// ParseMinArea reads a number of pixels ("200"), or a share of the photo in percent
// ("0.1%") or as a fraction below 1 ("0.001"). "" and "0" keep all parts.
func ParseMinArea(s string) (MinArea, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	if number == "" && !percent {
		return MinArea{}, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	var a MinArea
	switch {
	case err != nil || !(v >= 0) || v > math.MaxInt32:
		err = strconv.ErrSyntax
	case percent:
		a = MinShare(v / 100)
	case v < 1:
		a = MinShare(v)
	case v != math.Trunc(v):
		err = strconv.ErrSyntax
	default:
		a = MinPixels(int(v))
	}
	if err != nil || a.check() != nil {
		return MinArea{}, fmt.Errorf("%w: smallest area %q: give pixels, as 200, or a share of the photo, as 0.1%% or 0.001", ErrOption, s)
	}
	return a, nil
}

func (a MinArea) check() error {
	if a.pixels < 0 || !(a.share >= 0 && a.share <= 1) {
		return fmt.Errorf("%w: smallest area of %s: give a number of pixels from 0, or a share of the photo from 0 to 1", ErrOption, a)
	}
	return nil
}

// String is what [ParseMinArea] reads; "0" keeps all parts.
func (a MinArea) String() string {
	if a.share != 0 {
		return strconv.FormatFloat(100*a.share, 'g', -1, 64) + "%"
	}
	return strconv.Itoa(a.pixels)
}

// of is the smallest part in pixels of a result, which shows the photo at size
// width × height, or smaller.
func (a MinArea) of(photoPixels, width, height int) int {
	least := a.share * float64(width*height)
	if a.pixels > 0 {
		least = float64(a.pixels) * float64(width*height) / float64(photoPixels)
	}
	return int(math.Ceil(least))
}
