package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
)

// The standard library takes no PNG with a fault in a chunk that matters to nobody, or
// with more data than pixels, which every other reader shows. What it refuses is
// therefore written anew without such chunks and data, and read again.

const pngSignature = "\x89PNG\r\n\x1a\n"

func sizePNG(b []byte) (image.Config, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		if mended, mendErr := mendPNG(b, true); mendErr == nil {
			return png.DecodeConfig(bytes.NewReader(mended))
		} else if errors.Is(mendErr, errAppleCgBI) {
			return c, mendErr
		}
	}
	return c, err
}

func decodePNG(b []byte, note func(string)) (*Image, error) {
	src, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		mended, mendErr := mendPNG(b, false)
		if mendErr != nil {
			return nil, err // of the file itself
		}
		if src, err = png.Decode(bytes.NewReader(mended)); err != nil {
			return nil, err
		}
	}
	if im, ok := deep(src, note); ok {
		return im, nil
	}
	return convert(src, false), nil
}

var errAppleCgBI = errors.New("a PNG in Apple's own form for iOS (CgBI): open and save it on a Mac, or convert it with pngcrush -revert-iphone-optimizations")

// pngChunk is a chunk's name and data; whole reports whether its checksum is right.
type pngChunk struct {
	name  string
	data  []byte
	whole bool
}

// pngChunks walks the chunks: length, name, data, checksum. It ends at the first that
// does not fit.
func pngChunks(b []byte) func(yield func(pngChunk) bool) {
	return func(yield func(pngChunk) bool) {
		for at := len(pngSignature); at+12 <= len(b); {
			size := uint64(binary.BigEndian.Uint32(b[at:]))
			if size+12 > uint64(len(b)-at) {
				return
			}
			end := at + 8 + int(size)
			sum := binary.BigEndian.Uint32(b[end:])
			if !yield(pngChunk{string(b[at+4 : at+8]), b[at+8 : end], crc32.ChecksumIEEE(b[at+4:end]) == sum}) {
				return
			}
			at = end + 4
		}
	}
}

// mendPNG writes a PNG anew: its header, the first palette, transparency where there may
// be one, and the pixels' data up to the last pixel. headerOnly leaves the data out.
func mendPNG(b []byte, headerOnly bool) ([]byte, error) {
	var header, palette, transparent []byte
	var data [][]byte
	for c := range pngChunks(b) {
		switch {
		case c.name == "CgBI":
			return nil, errAppleCgBI
		case !c.whole && c.name[0] >= 'A' && c.name[0] <= 'Z': // damage in what matters
			return nil, fmt.Errorf("chunk %s has a wrong checksum", c.name)
		case !c.whole:
		case c.name == "IHDR" && header == nil && len(c.data) == 13:
			header = c.data
		case c.name == "PLTE" && palette == nil && len(data) == 0:
			palette = c.data
		case c.name == "tRNS" && transparent == nil && len(data) == 0:
			transparent = c.data
		case c.name == "IDAT" && !headerOnly:
			data = append(data, c.data)
		}
	}
	if header == nil {
		return nil, errors.New("no header")
	}
	out := appendChunk([]byte(pngSignature), "IHDR", header)
	kind := header[9]
	if kind == indexedPNG {
		if len(palette) > 3<<header[8] { // more colours than indices can name
			palette = palette[:3<<header[8]]
		}
		out = appendChunk(out, "PLTE", palette)
		transparent = transparent[:min(len(transparent), len(palette)/3)]
	}
	if want, ok := map[byte]int{greyPNG: 2, rgbPNG: 6, indexedPNG: len(transparent)}[kind]; ok && len(transparent) == want && want > 0 {
		out = appendChunk(out, "tRNS", transparent)
	}
	if headerOnly {
		return appendChunk(out, "IDAT", nil), nil
	}
	pixels, err := restorePNG(data, pngRawBytes(header))
	if err != nil {
		return nil, err
	}
	return appendChunk(appendChunk(out, "IDAT", pixels), "IEND", nil), nil
}

func appendChunk(out []byte, name string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	begin := len(out)
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[begin:]))
}

// Colour types of a PNG.
const (
	greyPNG    = 0
	rgbPNG     = 2
	indexedPNG = 3
)

// pngRawBytes is the length of a PNG's rows with their filters, of all passes.
func pngRawBytes(header []byte) int64 {
	width, height := int64(binary.BigEndian.Uint32(header)), int64(binary.BigEndian.Uint32(header[4:]))
	bits := int64(header[8]) * map[byte]int64{greyPNG: 1, rgbPNG: 3, indexedPNG: 1, 4: 2, 6: 4}[header[9]]
	rows := func(w, h int64) int64 {
		if w == 0 {
			return 0
		}
		return h * (1 + (w*bits+7)/8)
	}
	if header[12] == 0 {
		return rows(width, height)
	}
	var n int64
	for _, pass := range [7][4]int64{ // Adam7: first column and row, and steps
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
	} {
		n += rows((width-pass[0]+pass[2]-1)/pass[2], (height-pass[1]+pass[3]-1)/pass[3])
	}
	return n
}

// restorePNG compresses the first n bytes of the pixels' data anew.
func restorePNG(data [][]byte, n int64) ([]byte, error) {
	var in []io.Reader
	for _, d := range data {
		in = append(in, bytes.NewReader(d))
	}
	z, err := zlib.NewReader(io.MultiReader(in...))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(w, z, n); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// orientationPNG reads EXIF from its own chunk, or from text as ImageMagick writes it,
// else from XMP.
func orientationPNG(b []byte) int {
	var xmp []byte
	for c := range pngChunks(b) {
		switch c.name {
		case "eXIf":
			return orientationEXIF(c.data)
		case "tEXt", "zTXt":
			key, rest, _ := bytes.Cut(c.data, []byte{0})
			if name := string(key); name != "Raw profile type exif" && name != "Raw profile type APP1" {
				continue
			}
			if c.name == "zTXt" && len(rest) > 0 {
				rest = inflate(rest[1:])
			}
			if exif := rawProfile(rest); exif != nil {
				return orientationEXIF(exif)
			}
		case "iTXt":
			if rest, ok := bytes.CutPrefix(c.data, []byte("XML:com.adobe.xmp\x00")); ok && len(rest) > 2 {
				if xmp = rest[2:]; rest[0] == 1 { // compressed, after language and translation
					for range 2 {
						_, xmp, _ = bytes.Cut(xmp, []byte{0})
					}
					xmp = inflate(xmp)
				}
			}
		}
	}
	return orientationXMP(xmp)
}

// metadataBytes is the most that is read of compressed metadata.
const metadataBytes = 256 << 10

func inflate(b []byte) []byte {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(z, metadataBytes))
	return out
}

// rawProfile reads "\nexif\n   1234\n" and lines of hexadecimal digits.
func rawProfile(text []byte) []byte {
	lines := strings.SplitN(string(text), "\n", 4)
	if len(lines) < 4 {
		return nil
	}
	out, _ := hex.DecodeString(strings.ReplaceAll(lines[3], "\n", ""))
	return out
}
