package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging/bmp"
	"github.com/groupvit/groupvit/internal/imaging/jpeg"
	"github.com/groupvit/groupvit/internal/imaging/tiff"
)

// A kind of file that Decode does not read, and what to do about it.
type kind struct {
	name       string
	extensions []string
	// matches reports whether a file is of the kind by its first bytes; nil where they
	// say nothing.
	matches func(b []byte) bool
	mend    string
}

// unread are the kinds of pictures that people have and that are not read. HEIC and AVIF
// are read by programs that register them ([Register]).
var unread = []kind{
	{"HEIC", []string{".heic", ".heif", ".hif"}, brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"), "convert it to JPEG, as with heif-convert"},
	{"AVIF", []string{".avif"}, brand("avif", "avis"), "convert it to PNG or JPEG, as with avifdec"},
	{"JPEG XL", []string{".jxl"}, anyPrefix("\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"), "convert it to PNG or JPEG, as with djxl"},
	{"JPEG 2000", []string{".jp2", ".j2k", ".jpf", ".jpx"}, anyPrefix("\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"), "convert it to PNG or TIFF, as with opj_decompress"},
	{"JPEG XR", []string{".jxr", ".wdp"}, anyPrefix("II\xbc\x01"), "convert it to PNG or JPEG"},
	{"camera raw", []string{".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".raf", ".rw2", ".orf", ".pef", ".srw", ".3fr"},
		either(anyPrefix("FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\x00"), brand("crx ")), "develop it to JPEG or TIFF first"},
	{"PSD", []string{".psd", ".psb"}, anyPrefix("8BPS"), "export it as PNG, JPEG or TIFF"},
	{"OpenEXR", []string{".exr"}, anyPrefix("\x76\x2f\x31\x01"), "tone-map it to PNG or JPEG first"},
	{"Radiance HDR", []string{".hdr"}, anyPrefix("#?RADIANCE", "#?RGBE"), "tone-map it to PNG or JPEG first"},
	{"SVG", []string{".svg"}, svg, "render it to PNG first"},
	{"TGA", []string{".tga"}, nil, "convert it to PNG"},
	{"icon", []string{".ico", ".cur"}, anyPrefix("\x00\x00\x01\x00", "\x00\x00\x02\x00"), "convert it to PNG"},
	{"PDF", []string{".pdf"}, anyPrefix("%PDF"), "render its page to PNG first"},
}

// otherFiles are no pictures, but lie where pictures should.
var otherFiles = []kind{
	{"a web page", nil, anyPrefix("<!DOCTYPE html", "<!doctype html", "<html"), "the download was answered with a page: fetch the file itself"},
	{"a pointer of Git LFS", nil, anyPrefix("version https://git-lfs"), "fetch the file itself with git lfs pull"},
	{"a video", nil, either(brand("isom", "iso2", "mp41", "mp42", "M4V ", "qt  "), anyPrefix("\x1a\x45\xdf\xa3")), "take frames out of it first, as with ffmpeg"},
	{"a ZIP file", nil, anyPrefix("PK\x03\x04"), "unpack it first"},
	{"compressed", nil, anyPrefix("\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ"), "unpack it first"},
}

func anyPrefix(prefixes ...string) func([]byte) bool {
	return func(b []byte) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(b, []byte(p)) })
	}
}

func either(a, b func([]byte) bool) func([]byte) bool {
	return func(x []byte) bool { return a(x) || b(x) }
}

// brand matches files of ISO 14496-12 by their major brand.
func brand(brands ...string) func([]byte) bool {
	return func(b []byte) bool {
		return len(b) >= 12 && string(b[4:8]) == "ftyp" && slices.Contains(brands, string(b[8:12]))
	}
}

func svg(b []byte) bool {
	b = b[:min(len(b), 512)]
	return bytes.HasPrefix(b, []byte("<svg")) || bytes.HasPrefix(b, []byte("<?xml")) && bytes.Contains(b, []byte("<svg"))
}

// Unread reports whether a file is, by the extension of its name, a picture of a kind
// that Decode does not read: the kind, and what to do about it ("convert it to …").
func Unread(name string) (kindName, mend string, ok bool) {
	ending := strings.ToLower(filepath.Ext(name))
	for _, u := range unread {
		if slices.Contains(u.extensions, ending) && !IsPhoto(name) {
			return u.name, u.mend, true
		}
	}
	return "", "", false
}

// unknown says what a file is that no format matches.
func unknown(b []byte) error {
	for _, k := range slices.Concat(unread, otherFiles) {
		if k.matches != nil && k.matches(b) {
			return fmt.Errorf("it is %s, which is not read: %s", k.name, k.mend)
		}
	}
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return fmt.Errorf("it does not begin like a %s or %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}

// fault says what is wrong with a file of a format: of a kind that is not supported, or
// damaged in its header or data.
func fault(name string, f format, part string, err error) error {
	for _, unsupported := range []error{tiff.ErrUnsupported, jpeg.ErrUnsupported, bmp.ErrUnsupported, errAppleCgBI} {
		if errors.Is(err, unsupported) {
			return &unsupportedError{fmt.Sprintf("%s: %v: this kind of %s is not supported: %s", name, ErrFormat, f.name,
				strings.TrimPrefix(err.Error(), unsupported.Error()+": ")), err}
		}
	}
	return fmt.Errorf("%s: %w: its %s %s: %w", name, ErrFormat, f.name, part, err)
}

// unsupportedError says which kind it is once.
type unsupportedError struct {
	text string
	err  error
}

func (e *unsupportedError) Error() string { return e.text }

// Unwrap returns ErrFormat and the decoder's error.
func (e *unsupportedError) Unwrap() []error { return []error{ErrFormat, e.err} }
