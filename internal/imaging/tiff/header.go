package tiff

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Tags of TIFF 6.0, and those of others that a picture needs.
const (
	tagSubfile       = 254
	tagWidth         = 256
	tagHeight        = 257
	tagBits          = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagFillOrder     = 266
	tagOffsets       = 273
	tagOrientation   = 274
	tagSamples       = 277
	tagRows          = 278
	tagCounts        = 279
	tagMaxSample     = 281
	tagPlanar        = 284
	tagT4Options     = 292
	tagPredictor     = 317
	tagWhitePoint    = 318
	tagColorMap      = 320
	tagTileWidth     = 322
	tagTileHeight    = 323
	tagTileOffsets   = 324
	tagTileCounts    = 325
	tagSubdirectory  = 330
	tagInkSet        = 332
	tagExtra         = 338
	tagSampleFormat  = 339
	tagJPEGTables    = 347
	tagCoefficients  = 529
	tagSubsampling   = 530
	tagReference     = 532
	tagNoData        = 42113 // GDAL
	tagDNGVersion    = 50706
	reducedPicture   = 1
	maskPicture      = 4
	directoriesTried = 64
)

// Photometric interpretations.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgbColor    = 2
	palette     = 3
	maskColor   = 4
	separated   = 5
	ycbcr       = 6
	cieLab      = 8
	iccLab      = 9
	cfa         = 32803
	linearRaw   = 34892
)

// Sample formats.
const (
	unsigned = 1
	signed   = 2
	floating = 3
	untyped  = 4
)

// Header is what a picture's tags say.
type Header struct {
	// Width and Height are those of the pixels as stored, Orientation how to turn
	// them (EXIF's, 1 to 8).
	Width, Height, Orientation int

	dir                     *Directory
	bits, samples, format   int
	photometric             int
	compression, predictor  int
	reversed, planar, tiled bool
	// extra are the meanings of samples beyond the colour's, inks how many those are.
	extra []uint64
	inks  int
	// across and down are a segment's (strip's or tile's) width and height.
	across, down    int
	offsets, counts []uint64
	subX, subY      int
	maxSample       uint64
	noData          float64 // NaN without one
	t4Options       uint64
	jpegTables      []byte
}

// unsupported says which kind of file is not read, and what to do about it.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...)
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

// ReadHeader reads the tags of the file's picture: the first that is neither a small
// copy nor a mask of another. Nothing of its pixels is read. Errors wrap ErrFormat,
// ErrUnsupported or [limits.ErrTooLarge].
func ReadHeader(b []byte) (*Header, error) {
	d, err := choose(b)
	if err != nil {
		return nil, err
	}
	h := &Header{dir: d, noData: math.NaN()}
	for _, read := range []func() error{h.readSize, h.readSamples, h.readColor, h.readCoding, h.readSegments} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// choose finds the directory of the picture.
func choose(b []byte) (*Directory, error) {
	raw := unsupported("it is a camera's raw file: develop it to JPEG or TIFF first")
	if len(b) > 10 && string(b[8:10]) == "CR" { // Canon's
		return nil, raw
	}
	first, err := ReadDirectory(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if first.Has(tagDNGVersion) {
		return nil, raw
	}
	d := first
	for range directoriesTried {
		kind, err := d.Uint(tagSubfile, 0)
		if err != nil {
			return nil, err
		}
		if kind&(reducedPicture|maskPicture) == 0 && d.Has(tagWidth) {
			return d, nil
		}
		next, err := d.Next()
		if err != nil || next == nil {
			break
		}
		d = next
	}
	if first.Has(tagSubdirectory) {
		return nil, unsupported("it has only a preview and data of a camera (raw): develop it to JPEG or TIFF first")
	}
	return first, nil
}

// small reads tags of one number of up to 32 bits.
func (h *Header) small(tag uint16, without uint64, to *int) error {
	v, err := h.dir.Uint(tag, without)
	if err == nil && v > math.MaxInt32 && v != math.MaxUint32 {
		err = damaged("tag %d is %d", tag, v)
	}
	*to = int(v)
	return err
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *Header) readSize() error {
	if err := first(h.small(tagWidth, 0, &h.Width), h.small(tagHeight, 0, &h.Height), h.small(tagOrientation, 1, &h.Orientation)); err != nil {
		return err
	}
	if h.Orientation < 1 || h.Orientation > 8 {
		h.Orientation = 1
	}
	return nil
}

// readSamples reads what a sample is.
func (h *Header) readSamples() error {
	if err := h.small(tagSamples, 1, &h.samples); err != nil {
		return err
	}
	if h.samples < 1 {
		return damaged("it has no samples")
	}
	bits, err := h.dir.Uints(tagBits, limits.TIFFSamples)
	if err != nil {
		return err
	}
	formats, err := h.dir.Uints(tagSampleFormat, limits.TIFFSamples)
	if err != nil {
		return err
	}
	if err := limits.Check("number of samples of a pixel", "TIFF", int64(h.samples), limits.TIFFSamples, "leave bands out"); err != nil {
		return err
	}
	if h.bits = 1; len(bits) > 0 {
		h.bits = int(min(bits[0], 128))
	}
	if h.format = unsigned; len(formats) > 0 {
		h.format = int(min(formats[0], 1<<16))
	}
	for i := range bits {
		if bits[i] != bits[0] {
			return unsupported("its samples have different numbers of bits (%v): save all with the same", bits)
		}
	}
	for i := range formats {
		if formats[i] != formats[0] {
			return unsupported("its samples are of different formats (%v): save all in the same", formats)
		}
	}
	switch {
	case h.format == unsigned && (h.bits >= 1 && h.bits <= 16 || h.bits == 32 || h.bits == 64):
	case h.format == signed && (h.bits == 8 || h.bits == 16 || h.bits == 32 || h.bits == 64):
	case h.format == floating && (h.bits == 16 || h.bits == 24 || h.bits == 32 || h.bits == 64):
	case h.format == untyped && (h.bits >= 1 && h.bits <= 16):
		h.format = unsigned
	default:
		return unsupported("its samples have %d bits of %s: save them as 8 or 16 bits, or 32-bit floating point", h.bits, formatName(h.format))
	}
	return nil
}

func formatName(f int) string {
	switch f {
	case unsigned, untyped:
		return "unsigned numbers"
	case signed:
		return "signed numbers"
	case floating:
		return "floating point"
	case 5, 6:
		return "complex numbers"
	}
	return "format " + strconv.Itoa(f)
}

// readColor reads what the samples mean.
func (h *Header) readColor() error {
	if err := first(h.small(tagPhotometric, math.MaxUint32, &h.photometric), h.small(tagMaxSample, 0, new(int))); err != nil {
		return err
	}
	var err error
	if h.extra, err = h.dir.Uints(tagExtra, limits.TIFFSamples); err != nil {
		return err
	}
	if h.maxSample, err = h.dir.Uint(tagMaxSample, 0); err != nil {
		return err
	}
	if text, err := h.dir.Bytes(tagNoData, 64); err == nil && text != nil {
		if v, err := strconv.ParseFloat(strings.TrimRight(strings.TrimSpace(string(text)), "\x00 "), 64); err == nil {
			h.noData = v
		}
	}
	if h.photometric == math.MaxUint32 { // left out, as by some scanners' software
		if h.photometric = blackIsZero; h.samples >= 3 {
			h.photometric = rgbColor
		}
	}
	switch h.photometric {
	case whiteIsZero, blackIsZero, maskColor:
		h.inks = 1
		if h.samples >= 3 && h.colorless() >= 3 { // bands without a colour: the first are shown
			h.inks, h.photometric = 3, rgbColor
		}
	case palette:
		h.inks = 1
	case rgbColor, ycbcr, cieLab, iccLab:
		h.inks = 3
		if h.samples == 1 && h.photometric == cieLab {
			h.inks, h.photometric = 1, blackIsZero
		}
	case separated:
		h.inks = 4
	case cfa, linearRaw:
		return unsupported("it is a camera's raw file: develop it to JPEG or TIFF first")
	case 32844, 32845:
		return unsupported("its colours are LogLuv: tone-map it to PNG or JPEG first")
	default:
		return unsupported("its colours are of kind %d (PhotometricInterpretation): save it as RGB", h.photometric)
	}
	if h.samples < h.inks {
		return damaged("a pixel has %d samples, its colour takes %d", h.samples, h.inks)
	}
	return nil
}

// colorless is how many samples a grey picture has that are not alpha.
func (h *Header) colorless() int {
	return h.samples - len(slices.DeleteFunc(slices.Clone(h.extra), func(e uint64) bool { return e != 1 && e != 2 }))
}

// alpha returns the sample that is alpha and whether colours are multiplied by it; -1
// if there is none. A fourth sample of RGB whose meaning is left out is alpha, as in
// Pillow.
func (h *Header) alpha() (sample int, multiplied bool) {
	if h.photometric == rgbColor && h.samples == 4 && len(h.extra) == 0 && h.format == unsigned && h.bits >= 8 {
		return 3, false
	}
	before := h.samples - len(h.extra)
	for i, e := range h.extra {
		if at := before + i; (e == 1 || e == 2) && at >= h.inks && at < h.samples {
			return at, e == 1
		}
	}
	return -1, false
}

// readCoding reads how the samples are stored.
func (h *Header) readCoding() error {
	fill, planar := 1, 1
	if err := first(h.small(tagCompression, 1, &h.compression), h.small(tagPredictor, 1, &h.predictor),
		h.small(tagFillOrder, 1, &fill), h.small(tagPlanar, 1, &planar)); err != nil {
		return err
	}
	h.reversed, h.planar = fill == 2, planar == 2 && h.samples > 1
	h.subX, h.subY = 1, 1
	if h.photometric == ycbcr {
		sub, err := h.dir.Uints(tagSubsampling, 2)
		if err != nil {
			return err
		}
		if h.subX, h.subY = 2, 2; len(sub) == 2 {
			h.subX, h.subY = int(min(sub[0], 8)), int(min(sub[1], 8))
		}
		if !slices.Contains([]int{1, 2, 4}, h.subX) || !slices.Contains([]int{1, 2, 4}, h.subY) {
			return damaged("its colours are stored for every %v pixels: 1, 2 or 4 would do", sub)
		}
		if h.compression == compressionJPEG {
			h.subX, h.subY = 1, 1 // the JPEG data says it itself
		}
		if h.bits != 8 || h.format != unsigned || h.planar && h.subX*h.subY > 1 {
			return unsupported("its YCbCr is not of 8 bits in one plane: save it as RGB")
		}
	}
	if h.photometric == palette && (h.bits > 16 || h.format != unsigned) {
		return damaged("a palette of %d bits", h.bits)
	}
	if err := h.checkCompression(); err != nil {
		return err
	}
	var err error
	if h.t4Options, err = h.dir.Uint(tagT4Options, 0); err != nil {
		return err
	}
	h.jpegTables, err = h.dir.Bytes(tagJPEGTables, limits.TIFFTables)
	return err
}

// readSegments reads where strips or tiles lie, and checks that all are there.
func (h *Header) readSegments() error {
	if h.Width < 1 || h.Height < 1 || h.Width > limits.ImageSide || h.Height > limits.ImageSide {
		return nil // whoever decodes refuses it, in better words
	}
	h.tiled = h.dir.Has(tagTileWidth) || h.dir.Has(tagTileOffsets)
	offsets, counts := uint16(tagOffsets), uint16(tagCounts)
	if h.tiled {
		if h.dir.Has(tagTileOffsets) {
			offsets, counts = tagTileOffsets, tagTileCounts
		}
		if err := first(h.small(tagTileWidth, 0, &h.across), h.small(tagTileHeight, 0, &h.down)); err != nil {
			return err
		}
		if h.across < 1 || h.down < 1 {
			return damaged("its tiles have %d×%d pixels", h.across, h.down)
		}
		if err := limits.Check("side of its tiles in pixels", "TIFF", int64(max(h.across, h.down)), limits.ImageSide, "save it anew"); err != nil {
			return err
		}
	} else {
		h.across = h.Width
		if err := h.small(tagRows, math.MaxUint32, &h.down); err != nil {
			return err
		}
		if h.down == 0 || h.down > h.Height {
			h.down = h.Height
		}
	}
	if err := limits.Check("size of its samples in bytes", "TIFF", h.rawBytes(), limits.TIFFBytes, "leave bands out"); err != nil {
		return err
	}
	n := h.segments()
	var err error
	if h.offsets, err = h.dir.Uints(offsets, limits.TIFFSegments); err != nil {
		return err
	}
	if h.counts, err = h.dir.Uints(counts, limits.TIFFSegments); err != nil {
		return err
	}
	if len(h.offsets) < n {
		return damaged("it takes %d strips or tiles, there are %d", n, len(h.offsets))
	}
	if len(h.counts) < n { // left out by some writers
		h.counts = h.guessCounts()
	}
	return nil
}

// grid is how many segments lie beside and below each other.
func (h *Header) grid() (columns, rows int) {
	return (h.Width + h.across - 1) / h.across, (h.Height + h.down - 1) / h.down
}

// segments is how many there are in all planes.
func (h *Header) segments() int {
	columns, rows := h.grid()
	if h.planar {
		return columns * rows * h.samples
	}
	return columns * rows
}

// rowBytes is the length of a segment's row of one plane, before compression.
func (h *Header) rowBytes() int {
	n := h.samples
	if h.planar {
		n = 1
	}
	return (h.across*n*h.bits + 7) / 8
}

// rawBytes is the length of all segments before compression.
func (h *Header) rawBytes() int64 {
	return int64(h.segments()) * int64(h.rowBytes()) * int64(h.down)
}

// guessCounts: a segment reaches up to the next one that begins after it.
func (h *Header) guessCounts() []uint64 {
	sorted := slices.Clone(h.offsets)
	slices.Sort(sorted)
	out := make([]uint64, len(h.offsets))
	for i, o := range h.offsets {
		next, _ := slices.BinarySearch(sorted, o+1)
		if out[i] = math.MaxInt64; next < len(sorted) {
			out[i] = sorted[next] - o
		}
	}
	return out
}

// Enough reports whether size bytes can hold the picture's pixels: what its compression
// shrinks at most, and some for blank pages.
func (h *Header) Enough(size int64) bool {
	const slack = 1 << 20
	raw := h.rawBytes()
	if sparse := slices.ContainsFunc(h.offsets, func(o uint64) bool { return o == 0 }); sparse {
		return raw <= limits.TIFFSparse
	}
	return raw <= slack || raw/codecs[h.compression].ratio <= size
}
