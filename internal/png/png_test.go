package png

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"testing"
)

// noisy fills bytes as a photo has them.
func noisy(pix []uint8, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range pix {
		pix[i] = uint8(128 + 100*math.Sin(float64(i)/900) + float64(r.IntN(9)))
	}
}

// What is written is read again by the standard library, pixel by pixel.
func TestEncode(t *testing.T) {
	for _, size := range []image.Point{{X: 1, Y: 1}, {X: 3, Y: 2}, {X: 2, Y: 5}, {X: 301, Y: 77}, {X: 2000, Y: 3}} {
		r := image.Rectangle{Max: size}
		gray, gray16, nrgba, opaque := image.NewGray(r), image.NewGray16(r), image.NewNRGBA(r), image.NewRGBA(r)
		indexed := image.NewPaletted(r, color.Palette{color.RGBA{1, 2, 3, 255}, color.NRGBA{200, 3, 4, 90}, color.RGBA{}, color.White})
		for i, pix := range [][]uint8{gray.Pix, gray16.Pix, nrgba.Pix, opaque.Pix, indexed.Pix} {
			noisy(pix, uint64(i))
		}
		for i := range indexed.Pix {
			indexed.Pix[i] %= 4
		}
		for i := 3; i < len(opaque.Pix); i += 4 {
			opaque.Pix[i] = 255
		}
		wide := image.NewRGBA64(r)
		for i := range r.Dx() * r.Dy() {
			wide.Set(i%r.Dx(), i/r.Dx(), color.RGBA{uint8(i), uint8(2 * i), uint8(i / 3), 255})
		}
		for _, m := range []image.Image{gray, gray16, nrgba, opaque, indexed, wide} {
			var b bytes.Buffer
			if err := Encode(&b, m); err != nil {
				t.Fatal(err)
			}
			back, err := png.Decode(&b)
			if err != nil {
				t.Errorf("%T of %v: %v", m, size, err)
				continue
			}
			for i := range r.Dx() * r.Dy() {
				want, got := m.At(i%r.Dx(), i/r.Dx()), back.At(i%r.Dx(), i/r.Dx())
				if color.NRGBA64Model.Convert(want) != color.NRGBA64Model.Convert(got) {
					t.Errorf("%T of %v: pixel %d is %v, want %v", m, size, i, got, want)
					break
				}
			}
		}
	}
}

// A part of a larger picture has rows of another stride.
func TestEncodePart(t *testing.T) {
	whole := image.NewRGBA(image.Rect(0, 0, 40, 30))
	noisy(whole.Pix, 1)
	for i := 3; i < len(whole.Pix); i += 4 {
		whole.Pix[i] = 255
	}
	part := whole.SubImage(image.Rect(7, 5, 31, 22))
	var b bytes.Buffer
	if err := Encode(&b, part); err != nil {
		t.Fatal(err)
	}
	back, err := png.Decode(&b)
	if err != nil || back.At(3, 4) != whole.At(10, 9) || back.Bounds().Dx() != 24 {
		t.Errorf("%v, %v", back.At(3, 4), err)
	}
}

type failing struct{ n int }

func (f *failing) Write(b []byte) (int, error) {
	if f.n -= len(b); f.n < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestErrors(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	noisy(m.Pix, 3)
	var whole bytes.Buffer
	if err := Encode(&whole, m); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 9, 40, 100, whole.Len() / 2, whole.Len() - 1} {
		if err := Encode(&failing{n}, m); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a disk full after %d of %d bytes: %v", n, whole.Len(), err)
		}
	}
	for _, bad := range []image.Image{image.NewGray(image.Rectangle{}), image.NewPaletted(image.Rect(0, 0, 2, 2), nil)} {
		if err := Encode(io.Discard, bad); !errors.Is(err, ErrSize) {
			t.Errorf("%T: %v", bad, err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	m := image.NewRGBA(image.Rect(0, 0, 3000, 2000))
	noisy(m.Pix, 1)
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	for _, c := range []struct {
		name   string
		encode func(io.Writer, image.Image) error
	}{{"here", Encode}, {"image/png", png.Encode}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				var out bytes.Buffer
				if err := c.encode(&out, m); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(out.Len()), "bytes")
			}
		})
	}
}
