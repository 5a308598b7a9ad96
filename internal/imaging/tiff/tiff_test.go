package tiff

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/limits"
)

// read returns the files of testdata/read by name.
func read(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		if all[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func decode(b []byte) (*Header, []uint8, []string, error) {
	h, err := ReadHeader(b)
	if err != nil {
		return nil, nil, nil, err
	}
	if h.Width > 4096 || h.Height > 4096 || h.Width < 1 || h.Height < 1 || !h.Enough(int64(len(b))) {
		return nil, nil, nil, ErrFormat
	}
	var notes []string
	pix, err := h.Decode(b, func(s string) { notes = append(notes, s) })
	return h, pix, notes, err
}

// Every kind of file holds the picture that Pillow, tifffile or NumPy put there
// (testdata/tiffs.py).
func TestDecode(t *testing.T) {
	var wanted map[string]string
	b, err := os.ReadFile("testdata/want.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &wanted); err != nil {
		t.Fatal(err)
	}
	files := read(t, "read")
	if len(files) != len(wanted) {
		t.Errorf("%d files, %d are wanted", len(files), len(wanted))
	}
	for name, b := range files {
		t.Run(name, func(t *testing.T) {
			h, pix, _, err := decode(b)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, h, pix, wanted[name], allowed(name))
		})
	}
}

// allowed is by how many levels a file's pixels may differ: JPEG decoders round
// otherwise, colours are computed in other numbers, percentiles cut single pixels.
func allowed(name string) int {
	switch {
	case strings.HasPrefix(name, "jpeg-cmyk"):
		return 4
	case strings.HasPrefix(name, "jpeg"), strings.HasPrefix(name, "heights"):
		return 3
	case strings.HasSuffix(name, "lab.tif"):
		return 4
	}
	return 1
}

func compare(t *testing.T, h *Header, pix []uint8, want string, allowed int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "want", want))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if size := m.Bounds().Size(); size.X != h.Width || size.Y != h.Height {
		t.Fatalf("%d×%d pixels, want %v", h.Width, h.Height, size)
	}
	worst, at := 0, 0
	for i, v := range pix {
		r, g, b, _ := m.At(i/3%h.Width, i/3/h.Width).RGBA()
		d := int(v) - int([]uint32{r, g, b}[i%3]>>8)
		if d = max(d, -d); d > worst {
			worst, at = d, i
		}
	}
	if worst > allowed {
		t.Errorf("differs by %d levels at pixel (%d, %d), allowed %d", worst, at/3%h.Width, at/3/h.Width, allowed)
	}
}

// What a number means is told where it was changed, and nothing else is.
func TestNotes(t *testing.T) {
	files := read(t, "read")
	for name, want := range map[string]string{
		"grey16-12-used.tif": "12 of 16 bits", "grey16-10-used.tif": "10 of 16 bits", "heights-float32.tif": "shown black",
		"rgb-nir.tif": "more bands", "two-bands.tif": "first is taken as grey", "seven-bands.tif": "first three",
		"grey16.tif": "", "rgb-little.tif": "", "unit-float32.tif": "", "grey12.tif": "", "rgba.tif": "", "group4.tif": "", "cmyk.tif": "",
	} {
		_, _, notes, err := decode(files[name])
		if got := strings.Join(notes, "; "); err != nil || !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: told %q, want %q; %v", name, got, want, err)
		}
	}
}

// Kinds that are not read are named, and what to do about them.
func TestUnsupported(t *testing.T) {
	files := read(t, "refused")
	for name, want := range map[string]string{
		"jpeg2000.tif": "JPEG 2000 in TIFF: save it", "lerc.tif": "LERC in TIFF", "old-jpeg.tif": "before 1995", "lzma.tif": "LZMA",
		"unknown-compression.tif": "compression 777", "complex.tif": "complex numbers", "logluv.tif": "LogLuv", "camera-raw.tif": "raw file: develop",
		"mixed-bits.tif": "different numbers of bits", "jpeg12.tif": "JPEG of 12 bits",
	} {
		_, _, _, err := decode(files[name])
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// A file cut anywhere is an error of a known kind or a picture, and in its first half an
// error.
func TestCut(t *testing.T) {
	for name, whole := range read(t, "read") {
		for n := 0; n < len(whole); n += 1 + len(whole)/25 {
			_, _, _, err := decode(whole[:n])
			if err != nil && !known(err) {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
			// Where the second picture is gone there is still the small copy; tiles that
			// take no bytes cannot be cut off.
			if err == nil && n < len(whole)/2 && name != "thumbnail-first.tif" && name != "sparse.tif" {
				t.Errorf("%s cut at %d of %d bytes decodes", name, n, len(whole))
			}
		}
	}
}

func known(err error) bool {
	return errors.Is(err, ErrFormat) || errors.Is(err, ErrUnsupported) || errors.Is(err, limits.ErrTooLarge)
}

// Headers that claim much are answered from the header.
func TestForgedHeaders(t *testing.T) {
	base := read(t, "read")["rgb-little.tif"]
	forge := func(tag uint16, value uint32) []byte {
		b := bytes.Clone(base)
		d, err := ReadDirectory(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		at := int(d.order.Uint32(b[4:])) + 2
		for i := range len(d.entries) {
			if e := b[at+12*i:]; d.order.Uint16(e) == tag {
				d.order.PutUint16(e[2:], 4)
				d.order.PutUint32(e[4:], 1)
				d.order.PutUint32(e[8:], value)
			}
		}
		return b
	}
	for name, b := range map[string][]byte{
		"wide": forge(tagWidth, 30000), "high": forge(tagHeight, 30000), "samples": forge(tagSamples, 1000), "many samples": forge(tagSamples, 60000),
		"bits": forge(tagBits, 64), "rows": forge(tagRows, 1), "offset": forge(tagOffsets, 1<<31),
	} {
		start := time.Now()
		allocated := testing.AllocsPerRun(1, func() {
			if _, _, _, err := decode(b); !known(err) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if d := time.Since(start); d > 100*time.Millisecond || allocated > 1000 {
			t.Errorf("%s: %v, %v allocations", name, d, allocated)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, folder := range []string{"read", "refused"} {
		for _, b := range read(f, folder) {
			if len(b) < 4000 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadHeader(b)
		if err == nil && (h.Width < 1 || h.Height < 1 || h.Width*h.Height > 1<<18 || !h.Enough(int64(len(b)))) {
			return
		}
		var pix []uint8
		start := time.Now()
		if err == nil {
			pix, err = h.Decode(b, nil)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%v", d)
		}
		if err != nil {
			if !known(err) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(pix) != 3*h.Width*h.Height {
			t.Errorf("%d bytes for %d×%d", len(pix), h.Width, h.Height)
		}
	})
}
