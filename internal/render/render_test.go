package render

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

func photo(width, height int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Rect, image.NewUniform(color.RGBA{100, 150, 50, 255}), image.Point{}, draw.Src)
	return out
}

// halves is label 1 in the left half and background in the right.
func halves(width, height int) *mask.Map {
	m, _ := mask.New(width, height)
	for i := range m.Labels {
		if i%width < width/2 {
			m.Labels[i] = 1
		}
	}
	return m
}

func TestRegionsPaintLabels(t *testing.T) {
	half := func(a int, b uint8) uint8 { return uint8((a + int(b)) / 2) }
	c := Color(1)
	for name, test := range map[string]struct {
		o          Options
		background color.RGBA // of the photo, {100, 150, 50}
	}{
		"the photo's colours": {Options{KeepColors: true, Exact: true}, color.RGBA{100, 150, 50, 255}},
		"grey and dimmed":     {Options{}, color.RGBA{107, 107, 107, 255}}, // luma 124, on 24 … 196
	} {
		out, err := Regions(photo(60, 40), halves(60, 40), &test.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.RGBAAt(45, 20); got != test.background {
			t.Errorf("%s: background is %v, want %v", name, got, test.background)
		}
		b := test.background
		want := color.RGBA{half(int(b.R), c.R), half(int(b.G), c.G), half(int(b.B), c.B), 255}
		if got := out.RGBAAt(10, 20); got != want {
			t.Errorf("%s: a region's pixel is %v, want %v", name, got, want)
		}
		if got := out.RGBAAt(29, 20); got != c && test.o.Exact {
			t.Errorf("%s: the outline is %v, want %v", name, got, c)
		}
		if got := out.RGBAAt(0, 20); got != want {
			t.Errorf("%s: the photo's border got an outline: %v", name, got)
		}
	}
}

// Specks and steps are taken out of the picture, not out of the map.
func TestSmooth(t *testing.T) {
	m := halves(300, 200)
	m.Labels[100*300+250], m.Labels[50*300+20] = 1, 0 // specks
	for y := range 200 {                              // teeth of two pixels
		if y%12 < 2 {
			m.Labels[y*300+150] = 1
		}
	}
	before := slices.Clone(m.Labels)
	out := smooth(m)
	if !slices.Equal(m.Labels, before) {
		t.Error("the map changed")
	}
	if out.At(250, 100) != 0 || out.At(20, 50) != 1 {
		t.Error("specks are left")
	}
	for y := 10; y < 190; y++ {
		if out.At(149, y) != 1 || out.At(150, y) != 0 {
			t.Errorf("row %d: the border is %d %d %d", y, out.At(149, y), out.At(150, y), out.At(151, y))
		}
	}
}

// nearBorders marks whatever has another label within reach, and nothing far away.
func TestNearBorders(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for reach := 1; reach < 5; reach++ {
		m, _ := mask.New(40, 30)
		for range 5 {
			m.Labels[r.IntN(len(m.Labels))] = 1
		}
		near := nearBorders(m, reach)
		for at, is := range near {
			x, y := at%m.Width, at/m.Width
			other, far := false, true
			for v := max(y-reach-1, 0); v <= min(y+reach+1, m.Height-1); v++ {
				for u := max(x-reach-1, 0); u <= min(x+reach+1, m.Width-1); u++ {
					if m.At(u, v) != m.Labels[at] {
						far = false
						other = other || max(u-x, x-u, v-y, y-v) <= reach
					}
				}
			}
			if other && !is || far && is {
				t.Fatalf("reach %d: (%d, %d) is marked: %v", reach, x, y, is)
			}
		}
	}
}

func TestCutout(t *testing.T) {
	out, err := Cutout(photo(60, 40), halves(60, 40), 1, &Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.NRGBAAt(29, 20); got != (color.NRGBA{100, 150, 50, 255}) {
		t.Errorf("inside: %v", got)
	}
	if got := out.NRGBAAt(30, 20); got != (color.NRGBA{}) {
		t.Errorf("outside: %v", got)
	}
	if _, err := Cutout(photo(6, 4), halves(4, 6), 1, nil); !errors.Is(err, mask.ErrSize) {
		t.Errorf("another size: %v", err)
	}
}

// A cut-out fades over a pixel at its border, and has no specks unless they are kept.
func TestCutoutSmooth(t *testing.T) {
	m := halves(100, 80)
	m.Labels[10*100+90], m.Labels[40*100+10] = 1, 2 // a speck on either side
	out, err := Cutout(photo(100, 80), m, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x, y int
		want uint8
	}{{10, 40, 255}, {90, 10, 0}, {48, 40, 255}, {49, 40, 191}, {50, 40, 63}, {51, 40, 0}} {
		if got := out.NRGBAAt(c.x, c.y); got.A != c.want || got.A > 0 && got.R != 100 {
			t.Errorf("(%d, %d): %v, want an alpha of %d", c.x, c.y, got, c.want)
		}
	}
	exact, err := Cutout(photo(100, 80), m, 1, &Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := exact.NRGBAAt(90, 10).A, exact.NRGBAAt(10, 40).A; a != 255 || b != 0 {
		t.Errorf("specks of the exact map have alpha %d and %d", a, b)
	}
	for y := 60; y < 64; y++ {
		for x := 70; x < 74; x++ {
			m.Labels[y*100+x] = 2
		}
	}
	if got := (&Options{}).shown(m).At(72, 62); got != 0 {
		t.Errorf("a speck of 16 pixels is drawn as label %d", got)
	}
	if got := (&Options{KeepSpecks: true}).shown(m).At(72, 62); got != 2 {
		t.Errorf("with specks kept, one of 16 pixels is drawn as label %d", got)
	}
}

func TestOverlaySizes(t *testing.T) {
	tests := []struct {
		name          string
		width, height int
		labels        []string
	}{
		{"usual", 400, 300, []string{"cat", "grass"}},
		{"narrower than a legend", 20, 300, []string{"a long name of a thing that will not fit"}},
		{"one pixel", 1, 1, []string{"x"}},
		{"emoji and Chinese", 300, 200, []string{"🐶🐱", "草"}},
		{"ten thousand letters", 300, 200, []string{strings.Repeat("word", 2500)}},
		{"control characters and bad UTF-8", 300, 200, []string{"a\x00b\n\t\xff"}},
		{"no names", 300, 200, nil},
		{"many names", 300, 200, strings.Split(strings.Repeat("sheep,", 255)+"x", ",")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := Overlay(photo(test.width, test.height), halves(test.width, test.height), test.labels, nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.Rect.Dx() < test.width || out.Rect.Dy() < test.height {
				t.Errorf("%v is smaller than the photo", out.Rect)
			}
			if out.Rect.Dy() > test.height+200 {
				t.Errorf("the legend takes %d pixels", out.Rect.Dy()-test.height)
			}
		})
	}
}

func TestAMaskOfAnotherSizeIsAnError(t *testing.T) {
	for name, draw := range map[string]func() error{
		"Overlay": func() error { _, err := Overlay(photo(40, 30), halves(30, 40), nil, nil); return err },
		"Regions": func() error { _, err := Regions(photo(40, 30), halves(40, 31), nil); return err },
	} {
		if err := draw(); !errors.Is(err, mask.ErrSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Regions(photo(4, 3), halves(4, 3), &Options{Opacity: 1.5}); err == nil {
		t.Error("an opacity of 1.5 was accepted")
	}
}

func TestLegendKeepsWhatTheFontHas(t *testing.T) {
	p, err := newPen(12, false)
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{
		"dog": "dog", "dog 🐶": "dog", "собака": "собака", "γάτα": "γάτα", "🐶": "label 1", " a\n\tb ": "a b", "": "label 1",
	} {
		if got := p.legible(label, "label 1"); got != want {
			t.Errorf("%q is drawn as %q, want %q", label, got, want)
		}
	}
	if got := p.fit("a very long label", 50); p.width(got) > 50 || !strings.HasSuffix(got, "…") {
		t.Errorf("fit gives %q", got)
	}
}

func TestColorsDiffer(t *testing.T) {
	seen := map[color.RGBA]int{}
	for i := 1; i <= 256; i++ {
		c := Color(i)
		if c.A != 255 {
			t.Errorf("label %d is not opaque", i)
		}
		if before, ok := seen[c]; ok {
			t.Errorf("labels %d and %d have one colour", before, i)
		}
		seen[c] = i
	}
	if Color(0).A != 0 {
		t.Error("background has a colour")
	}
}

func TestSheet(t *testing.T) {
	panels := []Panel{{"photo", photo(90, 60)}, {"stage 1", photo(90, 60)}, {"stage 2", photo(60, 90)}}
	out, err := Sheet(panels, &SheetOptions{Title: "a photo", Columns: 2})
	if err != nil {
		t.Fatal(err)
	}
	if out.Rect.Dx() < 2*90 || out.Rect.Dy() < 2*60 {
		t.Errorf("the sheet is %v", out.Rect)
	}
	// Titles are whole above narrow and tiny pictures.
	for _, size := range []image.Point{{10, 800}, {6, 4}} {
		narrow := []Panel{{"stage 1: 8 groups", photo(size.X, size.Y)}, {"stage 2: 8 groups", photo(size.X, size.Y)}}
		out, err := Sheet(narrow, &SheetOptions{Columns: 2})
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPen(12, true)
		if err != nil {
			t.Fatal(err)
		}
		if out.Rect.Dx() < 2*p.width(narrow[0].Title) {
			t.Errorf("%v: a sheet %d wide for two titles of %d", size, out.Rect.Dx(), p.width(narrow[0].Title))
		}
	}
	for name, bad := range map[string]func() error{
		"no panels":  func() error { _, err := Sheet(nil, nil); return err },
		"no picture": func() error { _, err := Sheet([]Panel{{Title: "x"}}, nil); return err },
		"tiny cells": func() error { _, err := Sheet(panels, &SheetOptions{Cell: 3}); return err },
	} {
		if bad() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkOverlay(b *testing.B) {
	for _, size := range []image.Point{{500, 375}, {4000, 3000}} {
		p, m := photo(size.X, size.Y), halves(size.X, size.Y)
		b.Run(size.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := Overlay(p, m, []string{"cat"}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
