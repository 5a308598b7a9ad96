package imaging

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"testing"
)

// formulaImage draws the source pictures of testdata/resize.json, as
// tools/reference/imaging.py states the formula.
func formulaImage(seed uint32, width, height int) *Image {
	im := New(width, height)
	for i := range im.Pix {
		u := (400000+seed)*2654435761 + uint32(i)*40503 + 1
		u ^= u >> 15
		u *= 2246822519
		u ^= u >> 13
		x, y, c := i/3%width, i/3/width, i%3
		wave := 0.5 + 0.5*math.Sin(0.21*float64(x)+0.13*float64(y)+float64(c))
		im.Pix[i] = uint8(math.Floor(256*(float64(u)/(1<<32))*0.35 + 166*wave))
	}
	return im
}

// The results of Pillow are met exactly, those of OpenCV within one level.
func TestResizeAgreesWithPillowAndOpenCV(t *testing.T) {
	var fixture struct {
		FirstPixels [][3]uint8 `json:"first_pixels"`
		Cases       []struct {
			Library, Filter string
			Seed            uint32
			Width, Height   int
			ToWidth         int `json:"to_width"`
			ToHeight        int `json:"to_height"`
			Offset          int
		}
	}
	description, err := os.ReadFile("testdata/resize.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(description, &fixture); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/resize.bin")
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range fixture.FirstPixels {
		if got := [3]uint8(formulaImage(1, 64, 48).Pix[3*i:]); got != p {
			t.Fatalf("the formula's pixel %d is %v, want %v", i, got, p)
		}
	}
	for _, c := range fixture.Cases {
		t.Run(fmt.Sprintf("%s %s %dx%d to %dx%d", c.Library, c.Filter, c.Width, c.Height, c.ToWidth, c.ToHeight), func(t *testing.T) {
			source := formulaImage(c.Seed, c.Width, c.Height)
			before := source.Clone()
			var got *Image
			var err error
			allowed := 0
			switch {
			case c.Library == "opencv":
				allowed = 1
				got, err = ResizeOpenCV(source, c.ToWidth, c.ToHeight)
			case c.Filter == "bicubic":
				got, err = ResizePIL(source, c.ToWidth, c.ToHeight, Bicubic)
			default:
				got, err = ResizePIL(source, c.ToWidth, c.ToHeight, Bilinear)
			}
			if err != nil {
				t.Fatal(err)
			}
			want := data[c.Offset:][:3*c.ToWidth*c.ToHeight]
			if worst, where := difference(got.Pix, want); worst > allowed {
				t.Errorf("differs by %d levels at byte %d, allowed %d", worst, where, allowed)
			}
			if worst, _ := difference(source.Pix, before.Pix); worst != 0 {
				t.Error("the source was changed")
			}
		})
	}
}

// difference returns the largest absolute difference and its place.
func difference(a, b []uint8) (worst, where int) {
	if len(a) != len(b) {
		return 256, min(len(a), len(b))
	}
	for i := range a {
		if d := max(int(a[i]), int(b[i])) - min(int(a[i]), int(b[i])); d > worst {
			worst, where = d, i
		}
	}
	return worst, where
}

func TestImpossibleSizes(t *testing.T) {
	im := formulaImage(1, 8, 6)
	for _, size := range [][2]int{{0, 5}, {5, 0}, {-1, 5}} {
		if _, err := ResizePIL(im, size[0], size[1], Bicubic); !errors.Is(err, ErrSize) {
			t.Errorf("ResizePIL to %v: %v", size, err)
		}
		if _, err := ResizeOpenCV(im, size[0], size[1]); !errors.Is(err, ErrSize) {
			t.Errorf("ResizeOpenCV to %v: %v", size, err)
		}
	}
	if _, err := ResizeOpenCV(im, 30000, 30000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ResizeOpenCV to 900 megapixels: %v", err)
	}
	if _, err := ResizePIL(im, 100000, 1, Bilinear); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ResizePIL to a side of 100,000: %v", err)
	}
	for _, r := range [][4]int{{0, 0, 9, 6}, {-1, 0, 2, 2}, {7, 5, 2, 2}, {0, 0, 0, 1}, {math.MaxInt, 0, 1, 1}, {1, 1, math.MaxInt, 1}} {
		if _, err := Crop(im, r[0], r[1], r[2], r[3]); !errors.Is(err, ErrSize) {
			t.Errorf("Crop %v: %v", r, err)
		}
	}
}

func TestFitSize(t *testing.T) {
	tests := []struct{ w, h, short, long, wantW, wantH int }{
		{500, 375, 448, 2048, 597, 448},
		{500, 333, 448, 2048, 673, 448},
		{640, 427, 448, 2048, 671, 448},
		{500, 281, 448, 2048, 797, 448},
		{100, 100, 448, 2048, 448, 448},
		{1000, 100, 448, 2048, 2048, 205}, // the long side limits
		{10000, 1, 448, 2048, 2048, 1},
		{500, 375, 224, 1024, 299, 224},
	}
	for _, test := range tests {
		if w, h := FitSize(test.w, test.h, test.short, test.long); w != test.wantW || h != test.wantH {
			t.Errorf("FitSize(%d, %d, %d, %d) = %d×%d, want %d×%d", test.w, test.h, test.short, test.long, w, h, test.wantW, test.wantH)
		}
	}
}

func TestShortSideAndCenterRect(t *testing.T) {
	if w, h := ShortSide(500, 375, 256); w != 341 || h != 256 {
		t.Errorf("ShortSide = %d×%d", w, h)
	}
	if w, h := ShortSide(375, 500, 256); w != 256 || h != 341 {
		t.Errorf("ShortSide = %d×%d", w, h)
	}
	// (9−4)/2 = 2.5 → 2 and (6−3)/2 = 1.5 → 2: halves go to even.
	if got, want := CenterRect(9, 6, 4, 3), image.Rect(2, 2, 6, 5); got != want {
		t.Errorf("CenterRect = %v, want %v", got, want)
	}
}

// A part of a resized image is the same pixels as the whole's, whichever axis is
// resized first or not at all, and of any filter.
func TestResizePart(t *testing.T) {
	im := formulaImage(1, 37, 61)
	for f := Bilinear; f <= Hamming; f++ {
		for _, size := range []image.Point{{37, 61}, {12, 61}, {37, 20}, {80, 15}, {9, 100}, {36, 30}} {
			whole, err := ResizePIL(im, size.X, size.Y, f)
			if err != nil {
				t.Fatal(err)
			}
			part := image.Rect(size.X/3, size.Y/4, size.X-1, size.Y-2)
			got, err := ResizePart(im, size.X, size.Y, f, part)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := Crop(whole, part.Min.X, part.Min.Y, part.Dx(), part.Dy())
			if worst, where := difference(got.Pix, want.Pix); worst != 0 {
				t.Errorf("filter %d to %v: differs by %d levels at byte %d", f, size, worst, where)
			}
		}
	}
}

func TestResizeCenter(t *testing.T) {
	im := formulaImage(1, 5, 4)
	got, err := ResizeCenter(im, 5, 4, Bilinear, 8, 3)
	if err != nil {
		t.Fatal(err)
	}
	// 3 columns of border: two before; one row is left out, the last.
	for y := range 3 {
		for x := range 8 {
			want := color.Color(color.RGBA{A: 255})
			if x >= 2 && x < 7 {
				want = im.At(x-2, y)
			}
			if got.At(x, y) != want {
				t.Errorf("pixel (%d,%d) is %v, want %v", x, y, got.At(x, y), want)
			}
		}
	}
	// The middle of what would have 1,120,000 columns.
	if got, err = ResizeCenter(formulaImage(1, 5000, 1), 1_120_000, 224, Bicubic, 224, 224); err != nil || got.Width != 224 || got.Height != 224 {
		t.Errorf("a photo of 5000×1: %v, %v", got, err)
	}
	if _, err := ResizeCenter(im, 5, 4, Bilinear, 0, 4); !errors.Is(err, ErrSize) {
		t.Errorf("a cut of no columns: %v", err)
	}
}

func TestFlipTwiceIsTheImage(t *testing.T) {
	im := formulaImage(1, 7, 4)
	once := Flip(im)
	if once.At(0, 0) != im.At(6, 0) {
		t.Error("the first pixel did not move to the end of its row")
	}
	if worst, _ := difference(Flip(once).Pix, im.Pix); worst != 0 {
		t.Error("flipping twice changed the image")
	}
}

func TestNormalize(t *testing.T) {
	im := &Image{2, 1, []uint8{0, 128, 255, 255, 0, 10}}
	mean, std := [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}
	got := Normalize(im, mean, std)
	for i, v := range []float64{
		(0 - 123.675) / 58.395, (255 - 123.675) / 58.395,
		(128 - 116.28) / 57.12, (0 - 116.28) / 57.12,
		(255 - 103.53) / 57.375, (10 - 103.53) / 57.375,
	} {
		if math.Abs(float64(got[i])-v) > 1e-5 {
			t.Errorf("element %d is %g, want %g", i, got[i], v)
		}
	}
}

func BenchmarkPhoto(b *testing.B) {
	im := formulaImage(1, 500, 375)
	b.Run("OpenCV to 597x448", func(b *testing.B) {
		for b.Loop() {
			_, _ = ResizeOpenCV(im, 597, 448)
		}
	})
	b.Run("PIL bicubic to 224x224", func(b *testing.B) {
		for b.Loop() {
			_, _ = ResizePIL(im, 224, 224, Bicubic)
		}
	})
	b.Run("PIL bilinear to 128x96", func(b *testing.B) {
		for b.Loop() {
			_, _ = ResizePIL(im, 128, 96, Bilinear)
		}
	})
	dst := make([]float32, len(im.Pix))
	b.Run("normalise", func(b *testing.B) {
		for b.Loop() {
			NormalizeInto(dst, im, [3]float32{0.5, 0.5, 0.5}, [3]float32{0.2, 0.2, 0.2})
		}
	})
}
