package jpeg

import (
	"bytes"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fixtures are package imaging's, which Pillow has decoded too.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../testdata/decode/jpeg-*.jpg")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		if all[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Files that the standard library reads too, and those that it does not, are what Pillow
// makes of them. Orientation is left to package imaging.
func TestDecode(t *testing.T) {
	for file, b := range fixtures(t) {
		if strings.Contains(file, "exif") {
			continue
		}
		var notes []string
		im, pix, err := Decode(b, func(s string) { notes = append(notes, s) })
		if err != nil || len(notes) > 0 {
			t.Errorf("%s: %v, told %q", file, err, notes)
			continue
		}
		w, err := os.ReadFile(file + ".want.png")
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(bytes.NewReader(w))
		if err != nil {
			t.Fatal(err)
		}
		worst := 0
		for i, v := range pix {
			r, g, b, _ := want.At(i/3%im.Width, i/3/im.Width).RGBA()
			d := int(v) - int([]uint32{r, g, b}[i%3]>>8)
			worst = max(worst, d, -d)
		}
		if worst > 4 {
			t.Errorf("%s differs by %d levels", file, worst)
		}
	}
}

// A file without its last part is shown, and told; one without most of it is refused.
func TestCut(t *testing.T) {
	for file, b := range fixtures(t) {
		for n := 0; n < len(b); n += 1 + len(b)/50 {
			told := false
			_, _, err := Decode(b[:n], func(string) { told = true })
			if err != nil && !errors.Is(err, ErrFormat) {
				t.Errorf("%s cut at %d: %v", file, n, err)
			}
			if err == nil && n < len(b)/2 {
				t.Errorf("%s cut at %d of %d decodes", file, n, len(b))
			}
			if err == nil && n < len(b)*3/4 && !told && !strings.Contains(file, "progressive") && !strings.Contains(file, "text-behind") {
				t.Errorf("%s cut at %d of %d: nothing is told", file, n, len(b))
			}
		}
		if strings.HasSuffix(file, "jpeg-444.jpg") {
			if _, _, err := Decode(b[:len(b)-2], nil); err != nil {
				t.Errorf("without the mark of the end: %v", err)
			}
			if _, _, err := Decode(b[:len(b)*9/10], nil); err != nil {
				t.Errorf("without its last tenth: %v", err)
			}
		}
	}
}

// Kinds that are not read are named.
func TestUnsupported(t *testing.T) {
	b := fixtures(t)["../testdata/decode/jpeg-444.jpg"]
	frame := bytes.Index(b, []byte{0xff, 0xc0})
	for mark, want := range map[byte]string{0xc9: "arithmetic", 0xca: "arithmetic", 0xc3: "lossless", 0xf7: "JPEG-LS"} {
		other := bytes.Clone(b)
		other[frame+1] = mark
		if _, err := ReadHeader(other); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("mark %#x: %v", mark, err)
		}
	}
	twelve := bytes.Clone(b)
	twelve[frame+4] = 12
	if _, err := ReadHeader(twelve); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "12 bits") {
		t.Errorf("12 bits: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range fixtures(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := ReadHeader(b)
		if err == nil && (im.Width*im.Height > 1<<18 || bytes.Count(b, []byte{0xff, 0xda}) > 20) {
			return
		}
		start := time.Now()
		im, pix, err := Decode(b, nil)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(pix) != 3*im.Width*im.Height || time.Since(start) > 5*time.Second {
			t.Errorf("%d bytes for %d×%d, %v", len(pix), im.Width, im.Height, time.Since(start))
		}
	})
}
