package imaging

import (
	"bytes"
	"image"
	"image/gif"
	"io"
	"path/filepath"
	"slices"
	"strings"

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
	{"JPEG", []string{".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}, prefix("\xff\xd8\xff"), sizeJPEG, decodeJPEG, enoughJPEG, scansJPEG, orientationJPEG},
	{"PNG", []string{".png", ".apng"}, prefix(pngSignature), sizePNG, decodePNG, enoughPNG, nil, orientationPNG},
	{"GIF", []string{".gif"}, prefix("GIF8"), size(gif.DecodeConfig), decodeGIF, enoughGIF, nil, upright},
	{"WebP", []string{".webp"}, isWebP, sizeWebP, decodeWebP, enoughAlways, nil, orientationWebP},
	{"BMP", []string{".bmp", ".dib"}, prefix("BM"), sizeBMP, decodeBMP, enoughBMP, nil, upright},
	{"TIFF", []string{".tif", ".tiff", ".btf", ".tf8"}, tiff.Is, sizeTIFF, decodeTIFF, enoughTIFF, nil, uprightTIFF},
	{"PNM", []string{".ppm", ".pgm", ".pbm", ".pnm", ".pam"}, isPNM, sizePNM, decodePNM, enoughPNM, nil, upright},
}

// size adapts a decoder of image.Config.
func size(config func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(b []byte) (image.Config, error) { return config(bytes.NewReader(b)) }
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

func sniff(b []byte) (format, bool) {
	for _, f := range formats {
		if f.matches(b) {
			return f, true
		}
	}
	return format{}, false
}
