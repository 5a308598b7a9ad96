package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/limits"
)

// Files of every kind decode to what Pillow makes of them (testdata/decode.py).
func TestDecodeAgreesWithPillow(t *testing.T) {
	// The inverse cosine transforms of Go and libjpeg round differently;
	// CMYK goes through one more multiplication; libwebp rounds chroma twice.
	allowed := map[string]int{".jpg": 4, ".webp": 3}
	files, err := filepath.Glob("testdata/decode/*.want.png")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		file = strings.TrimSuffix(file, ".want.png")
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeBytes(b, Options{Name: file})
			if err != nil {
				t.Fatal(err)
			}
			w, err := os.Open(file + ".want.png")
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			m, err := png.Decode(w)
			if err != nil {
				t.Fatal(err)
			}
			want, err := FromImage(m)
			if err != nil {
				t.Fatal(err)
			}
			if got.Width != want.Width || got.Height != want.Height {
				t.Fatalf("%d×%d pixels, want %d×%d", got.Width, got.Height, want.Width, want.Height)
			}
			limit := max(1, allowed[filepath.Ext(file)])
			if worst, where := difference(got.Pix, want.Pix); worst > limit {
				t.Errorf("differs by %d levels at byte %d, allowed %d", worst, where, limit)
			}
			info, err := Probe(b, file)
			if err != nil || info.Width != got.Width || info.Height != got.Height {
				t.Errorf("Probe says %+v, %v", info, err)
			}
		})
	}
}

// forgedJPEG has a header of the given size, tables and no pixels.
func forgedJPEG(t *testing.T, width, height, length int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	out := b.Bytes()
	at := bytes.Index(out, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(out[at+5:], uint16(height))
	binary.BigEndian.PutUint16(out[at+7:], uint16(width))
	return append(out, make([]byte, max(0, length-len(out)))...)
}

// forgedPNG is a valid header chunk of the given size, then nothing.
func forgedPNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	header = append(binary.BigEndian.AppendUint32(header, height), 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(header))
}

func TestBadInput(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want error
		says string
	}{
		{"a zero-byte file", nil, ErrFormat, "empty"},
		{"a text file named .jpg", []byte("Dear photo,\nyou are text.\n"), ErrFormat, "does not begin like"},
		{"one byte", []byte{0xff}, ErrFormat, "does not begin like"},
		{"a 600-byte JPEG that claims 20,000²", forgedJPEG(t, 20000, 20000, 600), ErrTooLarge, "20000×20000"},
		{"a 600-byte JPEG that claims 7,000²", forgedJPEG(t, 7000, 7000, 600), ErrFormat, "7000×7000"},
		{"a header that claims 100,000×100,000", forgedPNG(100_000, 100_000), ErrTooLarge, "100000"},
		{"a header that claims 2³¹−1 squared", forgedPNG(1<<31-1, 1<<31-1), nil, ""},
		{"a PNG header that claims 7,000²", forgedPNG(7000, 7000), ErrFormat, "7000×7000"},
		{"a PNG of no width", forgedPNG(0, 10), ErrFormat, ""},
		{"a GIF that claims 65,535²", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"), ErrTooLarge, "65535"},
		{"a GIF without a frame", []byte("GIF89a\x05\x00\x05\x00\x00\x00\x00;"), ErrFormat, "GIF"},
		{"a BMP that claims 30,000×1,500", forgedBMP(30000, 1500), ErrFormat, "30000×1500"},
		{"a WebP without chunks", []byte("RIFF\x04\x00\x00\x00WEBP"), ErrFormat, "WebP"},
		{"a TIFF whose directory is outside", []byte("II*\x00\xff\xff\xff\xff"), ErrFormat, "TIFF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			_, err := Decode(bytes.NewReader(test.b), Options{Name: "bad.jpg"})
			switch {
			case err == nil:
				t.Fatal("no error")
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("%v is not %v", err, test.want)
			case test.want == nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge):
				t.Errorf("%v is of no known kind", err)
			case !strings.HasPrefix(err.Error(), "bad.jpg: ") || !strings.Contains(err.Error(), test.says):
				t.Errorf("the message is %q, it should name the file and say %q", err, test.says)
			}
			if d := time.Since(start); d > time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func forgedBMP(width, height uint32) []byte {
	b := make([]byte, 54)
	copy(b, "BM")
	binary.LittleEndian.PutUint32(b[10:], 54)
	binary.LittleEndian.PutUint32(b[14:], 40)
	binary.LittleEndian.PutUint32(b[18:], width)
	binary.LittleEndian.PutUint32(b[22:], height)
	b[26], b[28] = 1, 24
	return b
}

// A JPEG of many scans would take a pass over all its pixels for a few bytes each.
func TestManyScans(t *testing.T) {
	b, err := os.ReadFile("testdata/decode/jpeg-progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	last, end := bytes.LastIndex(b, []byte{0xff, 0xda}), len(b)-2
	many := bytes.Clone(b[:end])
	for range 2 * limits.JPEGScans {
		many = append(many, b[last:end]...)
	}
	many = append(many, b[end:]...)
	if _, err := DecodeBytes(many, Options{Name: "scans.jpg"}); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "scans") {
		t.Errorf("got %v", err)
	}
}

// A refused header allocates next to nothing.
func TestRefusalsAllocateLittle(t *testing.T) {
	for name, b := range map[string][]byte{
		"JPEG 20,000²": forgedJPEG(t, 20000, 20000, 600), "JPEG 7,000²": forgedJPEG(t, 7000, 7000, 600), "PNG 7,000²": forgedPNG(7000, 7000),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = DecodeBytes(b, Options{})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// Every file of the fixtures cut anywhere is an error or an image, never a
// panic; cut in its first half it is an error of a known kind.
func TestTruncatedFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/decode/*")
	for _, file := range files {
		if strings.HasSuffix(file, ".want.png") {
			continue
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(whole); n += 1 + len(whole)/40 {
			_, err := DecodeBytes(whole[:n], Options{})
			if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s cut at %d: %v", file, n, err)
			}
			if err == nil && n < len(whole)/2 && !strings.HasSuffix(file, "frames.gif") {
				t.Errorf("%s cut at %d of %d bytes decodes", file, n, len(whole))
			}
		}
	}
}

// Files with a few bytes changed are an image or an error of a known kind, in
// little time.
func TestDamagedFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/decode/*")
	r := rand.New(rand.NewPCG(1, 2))
	for _, file := range files {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			b := bytes.Clone(whole)
			for range 1 + r.IntN(8) {
				b[r.IntN(len(b))] = uint8(r.Uint32())
			}
			start := time.Now()
			_, err := DecodeBytes(b, Options{MaxPixels: 1 << 20})
			if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s damaged: %v", file, err)
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("%s damaged took %v: %x", file, d, b)
			}
		}
	}
}

func TestCapsOfTheCaller(t *testing.T) {
	b, err := os.ReadFile("testdata/decode/jpeg-444.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeBytes(b, Options{MaxPixels: 1000}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more pixels than allowed: %v", err)
	}
	if _, err := Decode(bytes.NewReader(b), Options{MaxBytes: 100}); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("more bytes than allowed: %v", err)
	}
}

func TestFromImage(t *testing.T) {
	for name, m := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"RGBA": image.NewRGBA(image.Rect(3, 4, 10, 9)), "NRGBA": image.NewNRGBA(image.Rect(-3, 4, 10, 9)),
		"NRGBA64": image.NewNRGBA64(image.Rect(3, 4, 10, 9)), "RGBA64": image.NewRGBA64(image.Rect(3, 4, 10, 9)),
		"Gray16": image.NewGray16(image.Rect(3, 4, 10, 9)), "Gray": image.NewGray(image.Rect(3, 4, 10, 9)),
	} {
		b := m.Bounds()
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				m.Set(x, y, color.White)
			}
		}
		m.Set(b.Min.X+1, b.Min.Y+2, color.Gray{90})
		got, err := FromImage(m)
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != b.Dx() || got.At(1, 2) != (color.RGBA{90, 90, 90, 255}) || got.At(0, 0) != (color.RGBA{255, 255, 255, 255}) {
			t.Errorf("%s: %v and %v", name, got.At(1, 2), got.At(0, 0))
		}
	}
	if _, err := FromImage(nil); !errors.Is(err, ErrFormat) {
		t.Errorf("nil: %v", err)
	}
	if _, err := FromImage(image.NewUniform(color.White)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an endless image: %v", err)
	}
	clear, err := FromImage(image.NewNRGBA(image.Rect(0, 0, 2, 2)))
	if err != nil || clear.Pix[0] != 255 {
		t.Errorf("a transparent pixel is %d, want white; %v", clear.Pix[0], err)
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/decode/*")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && len(b) < 3000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := DecodeBytes(b, Options{MaxPixels: 1 << 20})
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(im.Pix) != 3*im.Width*im.Height || im.Width < 1 || im.Height < 1 || im.Width*im.Height > 1<<20 {
			t.Errorf("%d×%d with %d bytes", im.Width, im.Height, len(im.Pix))
		}
	})
}
