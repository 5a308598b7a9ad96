package imaging

import (
	"slices"
	"strings"
	"testing"
)

func TestExtensions(t *testing.T) {
	all := Extensions()
	for i, e := range all {
		if !strings.HasPrefix(e, ".") || e != strings.ToLower(e) || slices.Contains(all[:i], e) {
			t.Errorf("extension %q: in lower case with a dot, once", e)
		}
	}
	for name, want := range map[string]bool{
		"a.jpg": true, "A.JPG": true, "dir.d/x.JfIf": true, "x.jpe": true, "x.mpo": true, "x.tiff": true, "x.webp": true, "x.dib": true,
		"x": false, "x.": false, ".jpg.txt": false, "x.jxl": false, "x.mp4": false, "jpg": false, "": false,
	} {
		if IsPhoto(name) != want {
			t.Errorf("IsPhoto(%q) is not %v", name, want)
		}
	}
}

func TestUnread(t *testing.T) {
	for name, want := range map[string]string{
		"a.jxl": "JPEG XL", "A.JP2": "JPEG 2000", "p/x.dng": "camera raw", "x.psd": "PSD", "x.jpg": "", "x.txt": "", "x": "",
	} {
		kind, mend, ok := Unread(name)
		if kind != want || ok != (want != "") || ok && mend == "" {
			t.Errorf("Unread(%q) is %q, %q, %v, want %q", name, kind, mend, ok, want)
		}
	}
	for _, u := range unread {
		for _, e := range u.extensions {
			if IsPhoto(e) && u.name != "HEIC" && u.name != "AVIF" {
				t.Errorf("%s is both read and not", e)
			}
		}
	}
}
