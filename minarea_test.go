package groupvit

import (
	"errors"
	"testing"
)

func TestParseMinArea(t *testing.T) {
	for text, want := range map[string]MinArea{
		"": {}, "0": {}, "200": MinPixels(200), "0.1%": MinShare(0.001), "0.001": MinShare(0.001), " 5 % ": MinShare(0.05), "100%": MinShare(1), "1": MinPixels(1),
	} {
		got, err := ParseMinArea(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
		if again, err := ParseMinArea(got.String()); err != nil || again != got {
			t.Errorf("%q: its text %q is read as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"-1", "-0.1", "101%", "%", "ten", "1.5", "NaN", "Inf", "1e300", "1%%", "200px"} {
		if got, err := ParseMinArea(text); !errors.Is(err, ErrOption) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// A number of pixels is one of the photo, whatever size the result has.
func TestMinAreaOf(t *testing.T) {
	for _, c := range []struct {
		area                 MinArea
		photo, width, height int
		want                 int
	}{
		{MinArea{}, 10000, 100, 100, 0}, {MinPixels(200), 10000, 100, 100, 200}, {MinPixels(200), 10000, 50, 50, 50},
		{MinShare(0.001), 10000, 100, 100, 10}, {MinShare(0.001), 10000, 50, 50, 3}, {MinPixels(1), 10000, 100, 100, 1},
	} {
		if got := c.area.of(c.photo, c.width, c.height); got != c.want {
			t.Errorf("%v of %d pixels at %d×%d: %d, want %d", c.area, c.photo, c.width, c.height, got, c.want)
		}
	}
}
