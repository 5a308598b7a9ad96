package imaging

import (
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"github.com/groupvit/groupvit/internal/imaging/tiff"
)

// A format is one kind of file that Decode reads.
type format struct {
	name string
	// extensions are those of its files, in lower case, the usual one first.
	extensions []string
	matches    func(b []byte) bool
	// config reads the size of the pixels as stored, from the header.
	config func(b []byte) (image.Config, error)
	// decode reads the pixels as stored; note is told what a user should know of them.
	decode func(b []byte, note func(string)) (*Image, error)
	// enough reports whether len(b) bytes can possibly hold the pixels that the
	// header claims. It keeps a file of some hundred bytes from claiming an
	// image just below the pixel cap.
	enough func(b []byte, c image.Config) bool
	// scans counts the passes over all pixels that decoding takes; nil is one.
	scans func(b []byte) int
	// orientation returns the EXIF orientation, 1 to 8; 1 where none is.
	orientation func(b []byte) int
}

// formats is the one list of what is read: Extensions, the errors and the table in
// docs/data.md come from it.
var formats = []format{
	{"JPEG", []string{".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}, prefix("\xff\xd8\xff"), size(jpeg.DecodeConfig), pixelsOf(jpeg.Decode), enoughJPEG, scansJPEG, orientationJPEG},
	{"PNG", []string{".png", ".apng"}, prefix("\x89PNG\r\n\x1a\n"), size(png.DecodeConfig), pixelsOf(png.Decode), enoughPNG, nil, orientationPNG},
	{"GIF", []string{".gif"}, prefix("GIF8"), size(gif.DecodeConfig), decodeGIF, enoughGIF, nil, upright},
	{"WebP", []string{".webp"}, isWebP, size(webp.DecodeConfig), decodeWebP, enoughAlways, nil, orientationWebP},
	{"BMP", []string{".bmp", ".dib"}, prefix("BM"), size(bmp.DecodeConfig), pixelsOf(bmp.Decode), enoughBMP, nil, upright},
	{"TIFF", []string{".tif", ".tiff", ".btf", ".tf8"}, tiff.Is, sizeTIFF, decodeTIFF, enoughTIFF, nil, uprightTIFF},
}

// size adapts a decoder of image.Config.
func size(config func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(b []byte) (image.Config, error) { return config(bytes.NewReader(b)) }
}

// pixelsOf adapts a decoder of image.Image.
func pixelsOf(decode func(io.Reader) (image.Image, error)) func([]byte, func(string)) (*Image, error) {
	return func(b []byte, _ func(string)) (*Image, error) {
		src, err := decode(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return convert(src, false), nil
	}
}

// unread are kinds of pictures that Decode does not read, with what to do about them.
var unread = []struct {
	name       string
	extensions []string
	mend       string
}{
	{"JPEG XL", []string{".jxl"}, "convert it to PNG or JPEG, as with djxl"},
	{"JPEG 2000", []string{".jp2", ".j2k", ".jpf", ".jpx"}, "convert it to PNG or TIFF, as with opj_decompress"},
	{"HEIC", []string{".heic", ".heif", ".hif"}, "convert it to JPEG, as with heif-convert"},
	{"AVIF", []string{".avif"}, "convert it to PNG or JPEG, as with avifdec"},
	{"camera raw", []string{".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".raf", ".rw2", ".orf", ".pef", ".srw", ".3fr"}, "develop it to JPEG or TIFF first"},
	{"PSD", []string{".psd", ".psb"}, "export it as PNG, JPEG or TIFF"},
	{"OpenEXR", []string{".exr"}, "tone-map it to PNG or JPEG first"},
	{"Radiance HDR", []string{".hdr"}, "tone-map it to PNG or JPEG first"},
	{"SVG", []string{".svg"}, "render it to PNG first"},
	{"TGA", []string{".tga"}, "convert it to PNG"},
	{"icon", []string{".ico", ".cur"}, "convert it to PNG"},
	{"JPEG XR", []string{".jxr", ".wdp"}, "convert it to PNG or JPEG"},
}

// Extensions returns the extensions of all files that Decode reads, in lower case with
// their dot: ".jpg", ".jpeg", …, the formats in the order of their use.
func Extensions() []string {
	var all []string
	for _, f := range formats {
		all = append(all, f.extensions...)
	}
	return all
}

// IsPhoto reports whether a file is, by the extension of its name, one that Decode
// reads; capitals count as small letters.
func IsPhoto(name string) bool {
	return slices.Contains(Extensions(), strings.ToLower(filepath.Ext(name)))
}

// Unread reports whether a file is, by the extension of its name, a picture of a kind
// that Decode does not read: the kind, and what to do about it ("convert it to …").
func Unread(name string) (kind, mend string, ok bool) {
	ending := strings.ToLower(filepath.Ext(name))
	for _, u := range unread {
		if slices.Contains(u.extensions, ending) && !IsPhoto(name) {
			return u.name, u.mend, true
		}
	}
	return "", "", false
}

func sniff(b []byte) (format, bool) {
	for _, f := range formats {
		if f.matches(b) {
			return f, true
		}
	}
	return format{}, false
}
