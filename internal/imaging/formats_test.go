package imaging

import (
	"errors"
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
}

// What a file is, whatever its name says, and what to do about it.
func TestErrorsNameTheKind(t *testing.T) {
	for b, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic....": "HEIC, which is not read: convert it to JPEG", "\x00\x00\x00\x18ftypavif....": "AVIF",
		"\xff\x0a and more": "JPEG XL, which is not read: convert it to PNG", "\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG 2000",
		"8BPS....": "PSD", "%PDF-1.7": "PDF", "<?xml version='1.0'?><svg ": "SVG", "<!DOCTYPE html>": "a web page", "FUJIFILMCCD-RAW 0201": "camera raw",
		"version https://git-lfs.github.com/spec/v1": "git lfs pull", "\x00\x00\x00\x18ftypmp42....": "a video", "plain words": "TIFF or PNM",
		"II*\x00\x08\x00\x00\x00CR\x02\x00\x00\x00\x00\x00": "this kind of TIFF is not supported: it is a camera's raw file: develop it",
	} {
		_, err := DecodeBytes([]byte(b), Options{Name: "x.jpg"})
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "x.jpg: not a readable photo: ") {
			t.Errorf("%q: %v, want %q", b, err, want)
		}
	}
}
