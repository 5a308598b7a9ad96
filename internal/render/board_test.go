package render

import (
	"errors"
	"flag"
	"image"
	"image/png"
	"os"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

var update = flag.Bool("update", false, "rewrite the golden pictures")

// TestBoard: a board is drawn as it was looked at when its golden picture was made.
func TestBoard(t *testing.T) {
	heat, err := Heat([]float32{0, 0.25, 0.5, 1}, 2, 2, 60, 40, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	regions, err := Regions(photo(60, 40), halves(60, 40), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := Board{Title: "cat.jpg: cat, sofa", Subtitle: "model default", Rows: []BoardRow{
		{Title: "The answer", Subtitle: "and why", Panels: []BoardPanel{
			{Title: "labels", Image: regions, Notes: []Note{{Color: Color(1), Text: "cat", Faint: "50 %"}}},
			{Title: "a title that is far too long for the panel below it, so it ends in dots", Image: heat, Notes: []Note{{Text: "(floor)"}, {Faint: "and 3 more"}}},
		}},
		{Title: "The labels", Panels: slices.Repeat([]BoardPanel{{Title: "x", Image: heat}}, BoardColumns+1)},
	}}
	got, err := b.Draw()
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/board.png"
	if *update {
		f, err := os.Create(path)
		if err == nil {
			err = errors.Join(png.Encode(f, got), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Bounds() {
		t.Fatalf("the board is %v, the golden picture %v", got.Bounds(), want.Bounds())
	}
	other := 0
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			r, g, b, _ := want.At(x, y).RGBA()
			c := got.RGBAAt(x, y)
			// Scaling multiplies and adds, which some processors do in one step.
			if far(r, c.R) || far(g, c.G) || far(b, c.B) {
				other++
			}
		}
	}
	if other > 0 {
		t.Errorf("%d pixels are others than the golden picture's (go test ./internal/render -update, then look at it)", other)
	}
}

func far(a uint32, b uint8) bool {
	d := int(a>>8) - int(b)
	return d < -2 || d > 2
}

func TestBoardErrors(t *testing.T) {
	for name, b := range map[string]Board{
		"no picture": {Rows: []BoardRow{{Panels: []BoardPanel{{Title: "x"}}}}},
		"empty":      {Rows: []BoardRow{{Panels: []BoardPanel{{Title: "x", Image: image.NewRGBA(image.Rectangle{})}}}}},
	} {
		if _, err := b.Draw(); !errors.Is(err, mask.ErrSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := Board{Rows: []BoardRow{{Panels: slices.Repeat([]BoardPanel{{Image: photo(1, 1000)}}, 1000)}}}
	if _, err := huge.Draw(); !errors.Is(err, mask.ErrTooLarge) {
		t.Errorf("a thousand panels: %v", err)
	}
}

// TestHeat: lighter is more, ends are the range's, and nothing else is drawn.
func TestHeat(t *testing.T) {
	last := -1.0
	for i := range heatColors {
		if l := luminance(heatColors[i]); l < last {
			t.Fatalf("colour %d is darker than the one before", i)
		} else {
			last = l
		}
	}
	out, err := Heat([]float32{-5, 0, 1, 9}, 4, 1, 4, 1, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range []float64{0, 0, 1, 1} {
		if got := out.RGBAAt(x, 0); got != HeatColor(want) {
			t.Errorf("place %d is %v, want %v", x, got, HeatColor(want))
		}
	}
	for _, values := range [][]float32{nil, {1, 2, 3}} {
		if _, err := Heat(values, 2, 2, 4, 4, 0, 1); !errors.Is(err, mask.ErrSize) {
			t.Errorf("%d values: %v", len(values), err)
		}
	}
	if _, err := Heat([]float32{1}, 1, 1, 3, 3, 1, 1); err != nil { // no range
		t.Error(err)
	}
}
