package tiff

import (
	"bufio"
	"bytes"
	stdlzw "compress/lzw"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/tiff/lzw"
)

// Compressions by their numbers.
const (
	compressionNone = 1
	compressionRLE  = 2
	compressionT4   = 3
	compressionT6   = 4
	compressionJPEG = 7
	compressionRLEW = 32771
	compressionWebP = 50001
)

// codec is a compression: either a stream of bytes, or pictures.
type codec struct {
	// open returns the uncompressed bytes of a segment.
	open func(h *Header, raw []byte, rows int) (io.Reader, error)
	// keepOrder leaves bits as they are where they are stored the other way round.
	keepOrder bool
	// ratio is how many times smaller it makes data at most.
	ratio int64
}

// codecs are the compressions that are read. JPEG and WebP are in jpeg.go.
var codecs = map[int]codec{
	compressionNone: {openNone, false, 1},
	compressionRLE:  {openCCITT, true, 1 << 13},
	compressionT4:   {openCCITT, true, 1 << 13},
	compressionT6:   {openCCITT, true, 1 << 15},
	compressionRLEW: {openCCITT, true, 1 << 13},
	5:               {openLZW, false, 2048},
	8:               {openDeflate, false, 1040},
	32946:           {openDeflate, false, 1040},
	32773:           {openPackBits, false, 65},
	50000:           {openZstd, false, 1 << 15},
	34926:           {openZstd, false, 1 << 15}, // before it was registered
	compressionJPEG: {nil, true, 4096},
	compressionWebP: {nil, true, 1 << 20},
}

// otherCodecs are names of compressions that are not read.
var otherCodecs = map[int]string{
	6: "the JPEG of TIFF before 1995", 9: "JBIG", 10: "JBIG", 32766: "NeXT's 2 bits", 32809: "ThunderScan",
	32895: "IT8", 32896: "IT8", 32897: "IT8", 32898: "IT8", 32908: "Pixar's film", 32909: "PixarLog",
	33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 33007: "JPEG",
	34661: "JBIG", 34676: "SGILog", 34677: "SGILog", 34887: "LERC", 34892: "lossy DNG", 34925: "LZMA", 34933: "PNG", 34934: "JPEG XR", 22610: "JPEG XR",
	50002: "JPEG XL", 52546: "JPEG XL",
}

func (h *Header) checkCompression() error {
	if _, ok := codecs[h.compression]; !ok {
		name, ok := otherCodecs[h.compression]
		if !ok {
			name = fmt.Sprintf("compression %d", h.compression)
		}
		return unsupported("%s in TIFF: save it with LZW or Deflate compression, as with gdal_translate -co COMPRESS=DEFLATE or ImageMagick's -compress lzw", name)
	}
	switch h.compression {
	case compressionRLE, compressionT4, compressionT6, compressionRLEW:
		if h.bits != 1 || h.samples != 1 && !h.planar {
			return damaged("fax data of %d samples of %d bits", h.samples, h.bits)
		}
	case compressionJPEG, compressionWebP:
		if h.bits == 12 {
			return unsupported("JPEG of 12 bits in TIFF: save it with LZW or Deflate compression")
		}
		if h.bits != 8 || h.format != unsigned || h.samples > 4 && !h.planar {
			return damaged("JPEG or WebP data of %d samples of %d bits", h.samples, h.bits)
		}
	}
	switch {
	case h.predictor <= 1:
	case h.predictor == 2 && (h.bits == 8 || h.bits == 16 || h.bits == 32 || h.bits == 64):
	case h.predictor == 3 && h.format == floating:
	case h.compression == compressionNone || codecs[h.compression].keepOrder: // says nothing there
		h.predictor = 1
	default:
		return unsupported("predictor %d with samples of %d bits: save it without a predictor", h.predictor, h.bits)
	}
	return nil
}

func openNone(_ *Header, raw []byte, _ int) (io.Reader, error) { return bytes.NewReader(raw), nil }

// openLZW reads TIFF's own LZW, and that of files before TIFF 6.0, whose codes begin at
// the other end of a byte: their first code, to clear the table, is 0 with a 1 after it.
func openLZW(_ *Header, raw []byte, _ int) (io.Reader, error) {
	if len(raw) >= 2 && raw[0] == 0 && raw[1]&1 == 1 {
		return stdlzw.NewReader(bytes.NewReader(raw), stdlzw.LSB, 8), nil
	}
	return lzw.NewReader(bytes.NewReader(raw), lzw.MSB, 8), nil
}

func openDeflate(_ *Header, raw []byte, _ int) (io.Reader, error) {
	return zlib.NewReader(bytes.NewReader(raw))
}

// zstdMemory is the largest window of Zstandard data, that of its levels up to 19.
const zstdMemory = 8 << 20

func openZstd(_ *Header, raw []byte, _ int) (io.Reader, error) {
	z, err := zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdMemory))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// openPackBits: a byte n before n+1 bytes as they are, or 1-n times one byte.
func openPackBits(_ *Header, raw []byte, _ int) (io.Reader, error) {
	return &packBits{in: bufio.NewReader(bytes.NewReader(raw))}, nil
}

type packBits struct {
	in     *bufio.Reader
	left   int
	repeat bool
	value  byte
}

func (p *packBits) Read(out []byte) (n int, err error) {
	for n < len(out) {
		if p.left == 0 {
			head, err := p.in.ReadByte()
			if err != nil {
				return n, err
			}
			switch k := int(int8(head)); {
			case k >= 0:
				p.left, p.repeat = k+1, false
			case k > -128:
				p.left, p.repeat = 1-k, true
				if p.value, err = p.in.ReadByte(); err != nil {
					return n, err
				}
			}
			continue
		}
		take := min(p.left, len(out)-n)
		if p.repeat {
			for i := range out[n : n+take] {
				out[n+i] = p.value
			}
		} else if got, err := io.ReadFull(p.in, out[n:n+take]); err != nil {
			return n + got, err
		}
		n, p.left = n+take, p.left-take
	}
	return n, nil
}

// reverse turns the bits of bytes round.
func reverse(raw []byte) []byte {
	out := make([]byte, len(raw))
	for i, v := range raw {
		out[i] = bits.Reverse8(v)
	}
	return out
}

// readRow fills a row.
func readRow(r io.Reader, row []byte) error {
	if _, err := io.ReadFull(r, row); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return damaged("its data ends too early")
		}
		return damaged("%w", err)
	}
	return nil
}
