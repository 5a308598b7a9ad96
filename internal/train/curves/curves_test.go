package curves

import (
	"bytes"
	"flag"
	"image/png"
	"math"
	"os"
	"testing"
)

var show = flag.String("show", "", "write the picture of TestDraw to this file")

// course is a noisy line from high to low with a hole in it.
func course(n int, high, low float64) (points []Point) {
	for i := range n {
		v := low + (high-low)*math.Exp(-4*float64(i)/float64(n)) + 0.1*high*math.Sin(float64(i*i))
		if i == n/2 {
			v = math.NaN()
		}
		points = append(points, Point{10 * i, v})
	}
	return points
}

// The picture holds the panels that have points, and its lines where they belong.
func TestDraw(t *testing.T) {
	panels := []Panel{
		{Title: "loss", Lines: []Line{
			{Name: "total", Points: course(200, 12, 5), Rough: true}, {Name: "image–text", Points: course(200, 4, 2), Rough: true},
			{Name: "chance", Points: []Point{{0, 3.47}, {1990, 3.47}}},
		}},
		{Title: "empty", Lines: []Line{{Name: "nothing"}, {Name: "not finite", Points: []Point{{1, math.Inf(1)}}}}},
		{Title: "one point", From0: true, Lines: []Line{{Name: "mIoU", Points: []Point{{100, 17}}}}},
		{Title: "a flat line", Lines: []Line{{Name: "rate", Points: []Point{{0, 0}, {10, 0}}}}},
	}
	var b bytes.Buffer
	if err := Draw(&b, "a run", panels); err != nil {
		t.Fatal(err)
	}
	if *show != "" {
		if err := os.WriteFile(*show, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	im, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got := im.Bounds().Size(); got.X != 2*panelWidth || got.Y != 2*panelHeight+40 {
		t.Errorf("size %v for three panels", got)
	}
	// Pixels of the first colour: in the first panel, and more of it on the left of
	// the panel's upper half, where the course begins, than on the right.
	count := func(x0, y0, x1, y1 int) (n int) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				if r, g, b, _ := im.At(x, y).RGBA(); r>>8 < 20 && g>>8 > 95 && g>>8 < 130 && b>>8 > 160 && b>>8 < 200 {
					n++
				}
			}
		}
		return n
	}
	middle := 40 + panelHeight/2
	if left, right := count(0, 110, 200, middle), count(300, 110, panelWidth, middle); left <= right || left == 0 {
		t.Errorf("%d pixels of the course above the middle at its begin, %d at its end", left, right)
	}
	if err := Draw(&b, "nothing", panels[1:2]); err == nil {
		t.Error("an empty picture")
	}
}
