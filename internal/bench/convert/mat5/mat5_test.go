package mat5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

func read(t *testing.T, name string) []*Array {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arrays, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

// Files that SciPy wrote (tools/reference/matfiles.py).
func TestReadFiles(t *testing.T) {
	a, err := Field(read(t, "sbd.mat"), "GTcls", "Segmentation")
	if err != nil || !slices.Equal(a.Dims, []int{2, 3}) || !slices.Equal(a.Numbers, []float64{0, 12, 8, 255, 8, 20}) {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err = Field(read(t, "sbd.mat"), "GTcls", "Boundaries"); err != nil || len(a.Cells) != 20 {
		t.Errorf("%+v, %v", a, err)
	}
	for name, want := range map[string][]float64{"context.mat": {1, 9, 2, 458, 459, 0}, "big.mat": {1, 9, 2, 458}} {
		arrays := read(t, name)
		if len(arrays) != 1 || arrays[0].Name != "LabelMap" || !slices.Equal(arrays[0].Numbers, want) {
			t.Errorf("%s: %+v", name, arrays[0])
		}
	}
	seen := 0
	for _, a := range read(t, "classes.mat") {
		switch {
		case strings.HasPrefix(a.Name, "a_"):
			seen++
			if !slices.Equal(a.Numbers, []float64{1, 3, 2, 100}) {
				t.Errorf("%s: %v", a.Name, a.Numbers)
			}
		case a.Name == "text" && !slices.Equal(a.Numbers, []float64{'h', 'e', 'l', 'l', 'o'}):
			t.Errorf("text is %v", a.Numbers)
		case a.Name == "empty" && len(a.Numbers) != 0:
			t.Errorf("empty is %v", a.Numbers)
		}
	}
	if seen != 10 {
		t.Errorf("%d classes of numbers", seen)
	}
}

// little is a file with one element.
func little(kind uint32, data []byte) []byte {
	b := append([]byte("MATLAB 5.0 MAT-file"), make([]byte, 109)...)
	copy(b[124:], "\x00\x01IM")
	b = binary.LittleEndian.AppendUint32(b[:128], kind)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(data))), data...)
}

func TestBadFiles(t *testing.T) {
	var bomb bytes.Buffer
	z := zlib.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range limits.MatBytes>>20 + 1 {
		_, _ = z.Write(zeros)
	}
	z.Close()
	sbd, err := os.ReadFile(filepath.Join("testdata", "sbd.mat"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		want    error
		says    string
	}{
		"empty":           {nil, ErrFormat, "0 bytes"},
		"text":            {bytes.Repeat([]byte("a"), 300), ErrFormat, "endian"},
		"HDF5":            {append([]byte("\x89HDF\r\n\x1a\n"), make([]byte, 200)...), ErrFormat, "-v7"},
		"cut":             {sbd[:len(sbd)-20], ErrFormat, "are left"},
		"bomb":            {little(typeCompressed, bomb.Bytes()), limits.ErrTooLarge, "limit"},
		"no zlib":         {little(typeCompressed, []byte("aaaaaaaaaaaa")), ErrFormat, "zlib"},
		"no flags":        {little(typeMatrix, make([]byte, 16)), ErrFormat, "flags"},
		"enormous matrix": {little(typeMatrix, enormous()), ErrFormat, "elements"},
	} {
		_, err := Read(bytes.NewReader(c.content))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v that says %q", name, err, c.want, c.says)
		}
	}
}

// enormous claims 65,536 × 65,536 numbers.
func enormous() []byte {
	var b []byte
	for _, v := range []uint32{typeUint32, 8, 9, 0, typeInt32, 8, 1 << 16, 1 << 16} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"sbd.mat", "context.mat", "classes.mat", "big.mat"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(little(typeMatrix, enormous()))
	f.Fuzz(func(t *testing.T, b []byte) {
		arrays, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, a := range arrays {
			if a.Numbers != nil && len(a.Numbers) != a.count() {
				t.Fatalf("%d numbers, dims %v", len(a.Numbers), a.Dims)
			}
		}
	})
}
