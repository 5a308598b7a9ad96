package bmp

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixtures are package imaging's, whose test compares their pixels.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../testdata/decode/bmp*.bmp")
	if err != nil || len(files) < 25 {
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

func TestUnsupported(t *testing.T) {
	for what, c := range map[string]struct {
		bits, compression uint32
		size              uint32
	}{
		"a JPEG or PNG inside": {0, jpegData, 40}, "fax": {1, huffman1D, 64}, "24 bits": {24, rle24, 64},
		"compression 11": {24, 11, 40}, "5 bits": {5, 0, 40}, "take it out": {0, pngData, 40},
	} {
		b := make([]byte, 200)
		copy(b, "BM")
		binary.LittleEndian.PutUint32(b[14:], c.size)
		binary.LittleEndian.PutUint32(b[18:], 5)
		binary.LittleEndian.PutUint32(b[22:], 5)
		binary.LittleEndian.PutUint16(b[28:], uint16(c.bits))
		binary.LittleEndian.PutUint32(b[30:], c.compression)
		if _, err := ReadHeader(b); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Run lengths that leave pixels out, go beyond rows, and end early.
func TestRunLengths(t *testing.T) {
	h := &Header{Width: 4, Height: 2, bits: 8, compression: rle8, palette: [][3]uint8{{9, 9, 9}, {1, 2, 3}}}
	for name, c := range map[string]struct {
		pixels string
		want   string // one digit a pixel: which colour
		bad    bool
	}{
		"whole":        {"\x04\x01\x00\x00\x04\x00\x00\x01", "00001111", false},
		"step":         {"\x00\x02\x01\x01\x02\x01\x00\x01", "01100000", false},
		"as they are":  {"\x00\x03\x01\x00\x01\x00\x00\x01", "00001010", false},
		"beyond":       {"\xff\x01\x00\x00\x01\x01\x00\x01", "10001111", false},
		"no more rows": {"\x01\x01\x00\x00\x00\x00\x04\x01", "00001000", false},
		"early":        {"\x04\x01\x00", "", true},
	} {
		h.pixels = []byte(c.pixels)
		pix, err := h.Decode()
		got := ""
		for i := 0; err == nil && i < len(pix); i += 3 {
			got += map[uint8]string{9: "0", 1: "1"}[pix[i]]
		}
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %s, want %s; %v", name, got, c.want, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range fixtures(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadHeader(b)
		if err == nil && (h.Width < 1 || h.Height < 1 || int64(h.Width)*int64(h.Height) > 1<<20 || !h.Enough()) {
			return
		}
		var pix []uint8
		if err == nil {
			pix, err = h.Decode()
		}
		if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("an error of no kind: %v", err)
		}
		if err == nil && len(pix) != 3*h.Width*h.Height {
			t.Errorf("%d bytes for %d×%d", len(pix), h.Width, h.Height)
		}
	})
}
