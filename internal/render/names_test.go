package render

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

// TestDepths compares with the definition: the largest square around a pixel
// that has one label and lies in the photo.
func TestDepths(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	for range 20 {
		m, _ := mask.New(1+r.IntN(19), 1+r.IntN(19))
		for i := range m.Labels { // blocks of two labels
			m.Labels[i] = uint16((i % m.Width / 5) * (i / m.Width / 4) % 3)
		}
		m.Labels[r.IntN(len(m.Labels))] = 7
		for at, d := range depths(m) {
			x, y, want := at%m.Width, at/m.Width, 0
			same := func(n int) bool {
				for v := y - n; v <= y+n; v++ {
					for u := x - n; u <= x+n; u++ {
						if u < 0 || v < 0 || u >= m.Width || v >= m.Height || m.At(u, v) != m.At(x, y) {
							return false
						}
					}
				}
				return true
			}
			for same(want) {
				want++
			}
			if int(d) != want {
				t.Fatalf("%d×%d: depth at (%d, %d) is %d, want %d", m.Width, m.Height, x, y, d, want)
			}
		}
	}
}

// TestPlaces: a name lies inside its label's region, in the middle of the
// widest, or nowhere.
func TestPlaces(t *testing.T) {
	m, _ := mask.New(100, 60)
	fill := func(r image.Rectangle, label uint16) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				m.Labels[y*m.Width+x] = label
			}
		}
	}
	fill(image.Rect(0, 0, 100, 8), 1)     // too flat
	fill(image.Rect(0, 10, 20, 60), 2)    // too narrow for 30
	fill(image.Rect(22, 10, 60, 30), 3)   // fits
	fill(image.Rect(62, 10, 100, 50), 3)  // fits better
	fill(image.Rect(22, 32, 60, 60), 300) // a high label
	const height = 12
	widths := slices.Repeat([]int{30}, 301)
	found := places(m, widths, height)
	if len(found) != 2 {
		t.Errorf("places %v, want those of labels 3 and 300", found)
	}
	if at := found[3]; at.X < 79 || at.X > 82 || at.Y < 28 || at.Y > 31 {
		t.Errorf("label 3 is named at %v, the middle is (81, 30)", at)
	}
	for label, at := range found {
		for y := at.Y - height/2; y < at.Y+height/2; y++ {
			for x := at.X - 15; x < at.X+15; x++ {
				if m.At(x, y) != label {
					t.Fatalf("the name of %d at %v covers (%d, %d) of %d", label, at, x, y, m.At(x, y))
				}
			}
		}
	}
}

// TestNamesOnRegions: a name changes pixels of its own region only.
func TestNamesOnRegions(t *testing.T) {
	p, m := photo(300, 200), halves(300, 200)
	with, err := Overlay(p, m, []string{"cat"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Overlay(p, m, []string{"cat"}, &Options{NoNames: true})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for y := range with.Rect.Dy() {
		for x := range with.Rect.Dx() {
			if with.RGBAAt(x, y) == without.RGBAAt(x, y) {
				continue
			}
			if changed++; m.At(x, y) != 1 {
				t.Fatalf("(%d, %d) has changed", x, y)
			}
		}
	}
	if changed < 100 {
		t.Errorf("%d pixels have changed: where is the name?", changed)
	}
}
