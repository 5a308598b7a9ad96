package mask

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
)

// draw makes a map of digits; '.' is background.
func draw(rows ...string) *Map {
	m := &Map{Width: len(rows[0]), Height: len(rows)}
	for _, row := range rows {
		for _, c := range row {
			if c == '.' {
				c = '0'
			}
			m.Labels = append(m.Labels, uint16(c-'0'))
		}
	}
	return m
}

func random(width, height, labels int, seed uint64) *Map {
	r := rand.New(rand.NewPCG(seed, 1))
	m, _ := New(width, height)
	for i := range m.Labels {
		m.Labels[i] = uint16(r.IntN(labels))
	}
	return m
}

func TestVOCPalette(t *testing.T) {
	p := VOCPalette()
	for i, want := range map[int]color.RGBA{
		0: {0, 0, 0, 255}, 1: {128, 0, 0, 255}, 2: {0, 128, 0, 255}, 8: {64, 0, 0, 255},
		15: {192, 128, 128, 255}, 20: {0, 64, 128, 255}, 255: {224, 224, 192, 255},
	} {
		if p[i] != want {
			t.Errorf("colour %d is %v, want %v", i, p[i], want)
		}
	}
}

func TestPNGRoundTrip(t *testing.T) {
	for _, labels := range []int{1, 2, 5, 17, 256, 257, 65536} {
		m := random(37, 23, labels, uint64(labels))
		m.Labels[0] = uint16(labels - 1)
		var b bytes.Buffer
		if err := m.EncodePNG(&b, nil); err != nil {
			t.Fatal(err)
		}
		if depth := b.Bytes()[24]; (depth == 16) != (labels > 256) || depth < 8 {
			t.Errorf("%d labels: %d bits", labels, depth)
		}
		got, err := DecodePNG(&b)
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != m.Width || !slices.Equal(got.Labels, m.Labels) {
			t.Errorf("%d labels: the map changed", labels)
		}
	}
}

func TestDecodePNGErrors(t *testing.T) {
	var colours bytes.Buffer
	if err := png.Encode(&colours, image.NewNRGBA(image.Rect(0, 0, 3, 3))); err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if err := random(50, 50, 9, 1).EncodePNG(&whole, nil); err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(whole.Bytes())
	copy(huge[16:], []byte{0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0}) // 100,000 × 100,000
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("no picture"), "colours": colours.Bytes(),
		"cut": whole.Bytes()[:len(whole.Bytes())/2], "forged size": huge,
	} {
		if _, err := DecodePNG(bytes.NewReader(b)); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFits(t *testing.T) {
	m := draw("12", "11", ".1")
	if err := m.Fits(2, 3); err != nil {
		t.Error(err)
	}
	if err := m.Fits(3, 2); !errors.Is(err, ErrSize) {
		t.Errorf("a mask of another size: %v", err)
	}
	if err := (&Map{3, 3, make([]uint16, 8)}).Fits(3, 3); !errors.Is(err, ErrSize) {
		t.Errorf("a label too few: %v", err)
	}
	if _, err := New(100_000, 100_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a huge map: %v", err)
	}
}

func TestStats(t *testing.T) {
	s := draw("1..2", "11.2", "....").Stats(3)
	want := []Stat{
		{0, 7, 7. / 12, image.Rect(0, 0, 4, 3)}, {1, 3, 0.25, image.Rect(0, 0, 2, 2)},
		{2, 2, 2. / 12, image.Rect(3, 0, 4, 2)}, {Label: 3},
	}
	if !slices.Equal(s, want) {
		t.Errorf("%v, want %v", s, want)
	}
}

// The strings are pycocotools' (mask.encode).
func TestRLEAgreesWithCOCO(t *testing.T) {
	// 40 × 41 pixels: the 30 columns on the right are set, from row 3 to 32.
	block := &Map{40, 41, make([]uint16, 40*41)}
	for y := 3; y < 33; y++ {
		for x := 10; x < 40; x++ {
			block.Labels[y*40+x] = 1
		}
	}
	tests := []struct {
		name   string
		m      *Map
		counts []uint32
		coco   string
	}{
		{"a square", draw("....", ".11.", ".11.", "...."), []uint32{5, 2, 2, 2, 5}, `52203`},
		{"first pixel", draw("11", "1."), []uint32{0, 3, 1}, `031`},
		{"nothing", draw("...", "..."), []uint32{6}, `6`},
		{"everything", draw("11", "11"), []uint32{0, 4}, `04`},
		{"two runs a column", draw("1.1.1", "..1..", "1.1.1", "1...1"), []uint32{0, 1, 1, 2, 4, 3, 5, 1, 1, 2}, `0111311NL1`},
		{"long runs", block, slices.Concat([]uint32{413}, slices.Repeat([]uint32{30, 11}, 29), []uint32{30, 8}), `m<n0;` + strings.Repeat("0", 57) + `M`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := test.m.RLE(1)
			if !slices.Equal(r.Counts, test.counts) {
				t.Errorf("counts %v, want %v", r.Counts, test.counts)
			}
			if got := r.Compressed(); got != test.coco {
				t.Errorf("compressed %q, want %q", got, test.coco)
			}
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var back RLE
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			m, _ := New(test.m.Width, test.m.Height)
			if err := back.Draw(m, 1); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(m.Labels, test.m.Labels) {
				t.Error("the round trip changed the mask")
			}
		})
	}
}

func TestRLEReadsPlainCounts(t *testing.T) {
	var r RLE
	if err := json.Unmarshal([]byte(`{"size":[2,3],"counts":[1,2,3]}`), &r); err != nil {
		t.Fatal(err)
	}
	if r.Area() != 2 || r.Width != 3 {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{
		`{"size":[2,3],"counts":[1,2]}`, `{"size":[2,3],"counts":"1"}`, `{"size":[2,3],"counts":"\u0001"}`,
		`{"size":[99999,99999],"counts":[]}`, `{"size":[2,3],"counts":{}}`, `{"size":[2,3],"counts":"Pooooooooooooooo"}`,
	} {
		if err := json.Unmarshal([]byte(bad), &r); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestNPYIsReadByALibrary(t *testing.T) {
	scores := []float32{0, 1, 2, 3, 4, 5, 6.5, -7, 8, 9, 10, 11}
	var b bytes.Buffer
	if err := WriteNPY(&b, scores, 2, 3, 2); err != nil {
		t.Fatal(err)
	}
	if start := b.Len() - 4*len(scores); start%64 != 0 {
		t.Errorf("data start at byte %d", start)
	}
	r, err := npyio.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	if err := r.Read(&got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Header.Descr.Shape, []int{2, 3, 2}) || !slices.Equal(got, scores) {
		t.Errorf("shape %v, scores %v", r.Header.Descr.Shape, got)
	}
	if err := WriteNPY(&b, scores, 2, 3, 3); !errors.Is(err, ErrSize) {
		t.Errorf("wrong length: %v", err)
	}
}

func FuzzDecodePNG(f *testing.F) {
	var b bytes.Buffer
	_ = random(9, 7, 3, 1).EncodePNG(&b, nil)
	f.Add(bytes.Clone(b.Bytes()))
	f.Add(bytes.Clone(b.Bytes()[:40]))
	b.Reset()
	_ = random(5, 4, 300, 1).EncodePNG(&b, nil) // 16 bits
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := DecodePNG(bytes.NewReader(b)); err == nil && m.Validate() != nil {
			t.Error("an invalid map without an error")
		}
	})
}

func FuzzParseRLE(f *testing.F) {
	f.Add("14", 2, 3)
	f.Add(random(9, 7, 2, 1).RLE(1).Compressed(), 9, 7)
	f.Fuzz(func(t *testing.T, s string, width, height int) {
		r, err := ParseRLE(s, width, height)
		if err != nil || width*height > 1<<16 {
			return
		}
		back, err := ParseRLE(r.Compressed(), width, height)
		if err != nil || !slices.Equal(back.Counts, r.Counts) {
			t.Errorf("%v became %v, %v", r.Counts, back.Counts, err)
		}
		m, _ := New(width, height)
		if err := r.Draw(m, 1); err != nil {
			t.Error(err)
		}
	})
}
