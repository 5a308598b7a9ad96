package render

import (
	"image/color"
	"slices"
	"strings"
	"testing"
)

// A word has one colour in every picture, names have different ones, and the first are
// not red.
func TestColors(t *testing.T) {
	sky := Colors([]string{"sky"})[0]
	for _, names := range [][]string{{"sky", "grass"}, {"dog", "grass", "Sky "}, {"wall", "spoon", "sky", "zebra"}} {
		at := slices.IndexFunc(names, func(n string) bool { return strings.TrimSpace(strings.ToLower(n)) == "sky" })
		if got := Colors(names)[at]; got != sky {
			t.Errorf("sky in %v is %v, alone %v", names, got, sky)
		}
	}
	many := strings.Fields(strings.Repeat("cat dog sky tree road car person sofa table grass ", 30))
	seen := map[color.RGBA]bool{}
	for i, c := range Colors(many) {
		if seen[c] || c.A != 255 {
			t.Errorf("label %d has a colour for the second time: %v", i+1, c)
		}
		seen[c] = true
	}
	for word, at := range words {
		if at < 1 || at > len(first) {
			t.Errorf("%s has colour %d", word, at)
		}
	}
	for _, pair := range [][2]string{{"sky", "grass"}, {"sky", "cloud"}, {"grass", "tree"}, {"cat", "sofa"}, {"dog", "grass"}, {"person", "horse"}, {"sand", "sea"},
		{"road", "car"}, {"person", "bike"}, {"man", "woman"}, {"building", "road"}, {"floor", "wall"}, {"table", "chair"}, {"boat", "water"}} {
		if colorOf(pair[0]) == colorOf(pair[1]) {
			t.Errorf("%s and %s have one colour", pair[0], pair[1])
		}
	}
	red := func(c color.RGBA) bool { return c.R > 180 && c.G < 70 && c.B < 70 }
	for i := 1; i <= 3; i++ {
		if red(Color(i)) {
			t.Errorf("colour %d is red: %v", i, Color(i))
		}
	}
}
