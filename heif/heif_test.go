//go:build (cgo || nodynamic) && !noheif

package heif

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/heic"

	"github.com/groupvit/groupvit/internal/imaging"
)

// registered skips where the system's libraries were found, which are not used.
func registered(t testing.TB) {
	t.Helper()
	if heic.Dynamic() == nil || avif.Dynamic() == nil {
		t.Skip("this machine has libheif.so or libavif.so: build with -tags nodynamic")
	}
}

func files(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{"testdata/*.heic", "testdata/*.avif"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) < 7 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if all[name], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// Files are what Pillow makes of them, and the header says their size.
func TestDecode(t *testing.T) {
	registered(t)
	for name, b := range files(t) {
		im, err := imaging.DecodeBytes(b, imaging.Options{Name: name})
		if err != nil {
			t.Error(err)
			continue
		}
		info, err := imaging.Probe(b, name)
		if err != nil || info.Width != im.Width || info.Height != im.Height {
			t.Errorf("%s: the header says %+v, %v", name, info, err)
		}
		w, err := os.ReadFile(name + ".want.png")
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := png.Decode(bytes.NewReader(w))
		if err != nil {
			t.Fatal(err)
		}
		want, err := imaging.FromImage(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if im.Width != want.Width || im.Height != want.Height {
			t.Errorf("%s: %d×%d pixels, want %d×%d", name, im.Width, im.Height, want.Width, want.Height)
			continue
		}
		sum, worst := 0, 0
		for i, v := range im.Pix {
			d := int(v) - int(want.Pix[i])
			d = max(d, -d)
			sum, worst = sum+d, max(worst, d)
		}
		// Programs enlarge halved colours in different ways, which shows at edges; this
		// libheif also smooths them, by a level or two and more in the first column.
		if mean := float64(sum) / float64(len(im.Pix)); mean > 3.5 || worst > 125 {
			t.Errorf("%s differs by %.2f levels in the mean, %d at most", name, mean, worst)
		}
	}
}

// What is left out is told.
func TestNotes(t *testing.T) {
	registered(t)
	for name, want := range map[string]string{"alpha.heic": "its transparency is not read", "plain.heic": "", "alpha.avif": ""} {
		b := files(t)["testdata/"+name]
		told := ""
		if _, err := imaging.DecodeBytes(b, imaging.Options{Note: func(s string) { told += s }}); err != nil || told != want {
			t.Errorf("%s: told %q, want %q; %v", name, told, want, err)
		}
	}
}

func TestExtensions(t *testing.T) {
	registered(t)
	for _, name := range []string{"a.HEIC", "b.heif", "c.avif"} {
		if _, _, unread := imaging.Unread(name); unread || !imaging.IsPhoto(name) || !slices.Contains(imaging.Extensions(), strings.ToLower(filepath.Ext(name))) {
			t.Errorf("%s is not read", name)
		}
	}
}

// Forged and cut files are errors, soon.
func TestBad(t *testing.T) {
	registered(t)
	for name, b := range files(t) {
		if at := bytes.Index(b, []byte("ispe")); at > 0 {
			forged := bytes.Clone(b)
			copy(forged[at+8:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65536×65536
			start := time.Now()
			if _, err := imaging.DecodeBytes(forged, imaging.Options{Name: name}); err == nil || time.Since(start) > 50*time.Millisecond {
				t.Errorf("%s claims 65536×65536: %v after %v", name, err, time.Since(start))
			}
		}
		for _, n := range []int{0, 11, 40, 100, 200, len(b) / 3, len(b) / 2} {
			if n < len(b) {
				if _, err := imaging.DecodeBytes(b[:n], imaging.Options{Name: name}); err == nil {
					t.Errorf("%s cut at %d of %d decodes", name, n, len(b))
				}
			}
		}
	}
}

// FuzzSize: what is read of the boxes before the decoders see a file.
func FuzzSize(f *testing.F) {
	for _, b := range files(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, size := range []func([]byte) (int, int, error){sizeHEIC, sizeAVIF} {
			if w, h, err := size(b); err == nil && (w < 0 || h < 0) {
				t.Errorf("%d×%d", w, h)
			}
		}
		if o := orientationAVIF(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		isHEIC(b)
		isAVIF(b)
	})
}
