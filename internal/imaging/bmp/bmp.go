// Package bmp reads BMP files as 8-bit RGB: those of OS/2 and of every Windows, with 1,
// 2, 4, 8, 16, 24 or 32 bits a pixel, masks of any colours, and run lengths.
//
// golang.org/x/image/bmp and github.com/sergeymakinen/go-bmp read fewer of them: neither
// has OS/2's headers, masks other than the usual, or a gap before the pixels.
package bmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/groupvit/groupvit/internal/imaging/rgb"
)

var (
	// ErrFormat is wrapped by errors for files that are damaged.
	ErrFormat = errors.New("damaged")
	// ErrUnsupported is wrapped by errors for kinds that are not read.
	ErrUnsupported = errors.New("not supported")
)

// Compressions.
const (
	plain     = 0
	rle8      = 1
	rle4      = 2
	bitfields = 3
	jpegData  = 4
	pngData   = 5
	alphaBits = 6 // bit fields with alpha
	// OS/2's own, where Windows has bit fields and JPEG.
	huffman1D = 3
	rle24     = 4
)

// Header is what a file says before its pixels.
type Header struct {
	// Width and Height are in pixels.
	Width, Height int

	bits, compression int
	topDown           bool
	palette           [][3]uint8
	masks             [4]uint32
	pixels            []byte
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

// ReadHeader reads everything up to the pixels. Errors wrap ErrFormat or ErrUnsupported.
func ReadHeader(b []byte) (*Header, error) {
	if len(b) < 26 {
		return nil, damaged("it has %d bytes", len(b))
	}
	size := int(binary.LittleEndian.Uint32(b[14:]))
	if size > len(b)-14 || size < 12 {
		return nil, damaged("its header claims %d bytes", size)
	}
	h := &Header{}
	info, colors, entry := b[14:14+size], 0, 4
	word := func(at int) int { return int(binary.LittleEndian.Uint16(info[at:])) }
	long := func(at int) int64 { // headers may end early; what is missing is zero
		if at+4 > size {
			return 0
		}
		return int64(int32(binary.LittleEndian.Uint32(info[at:])))
	}
	if size == 12 { // OS/2 1.x
		h.Width, h.Height, h.bits, entry = word(4), word(6), word(10), 3
	} else {
		if size < 16 {
			return nil, damaged("its header claims %d bytes", size)
		}
		h.Width, h.Height, h.bits = int(long(4)), int(long(8)), word(14)
		h.compression, colors = int(long(16)), int(long(32))
	}
	if h.topDown = h.Height < 0; h.topDown {
		h.Height = -h.Height
	}
	os2 := size == 16 || size == 64
	if err := h.check(os2); err != nil {
		return nil, err
	}
	after := b[14+size:]
	after = h.readMasks(info, after)
	offset := int(binary.LittleEndian.Uint32(b[10:]))
	if h.bits <= 8 {
		if colors <= 0 || colors > 256 {
			colors = 1 << h.bits
		}
		end := len(b)
		if at := len(b) - len(after); offset > at && offset < end { // a table that is cut by the pixels
			end = offset
		}
		h.readPalette(after[:max(0, end-(len(b)-len(after)))], min(colors, 256), entry)
	}
	if offset < 14+size || offset > len(b) { // some programs write none
		offset = min(len(b), len(b)-len(after)+entry*len(h.palette))
	}
	h.pixels = b[offset:]
	return h, nil
}

// check refuses what is not read. OS/2 and Windows number compressions alike up to 2.
func (h *Header) check(os2 bool) error {
	switch {
	case h.compression == jpegData && !os2 || h.compression == pngData:
		return fmt.Errorf("%w: a JPEG or PNG inside: take it out and save it alone", ErrUnsupported)
	case os2 && h.compression == huffman1D:
		return fmt.Errorf("%w: OS/2's fax compression: save it uncompressed", ErrUnsupported)
	case os2 && h.compression == rle24:
		return fmt.Errorf("%w: OS/2's run lengths of 24 bits: save it uncompressed", ErrUnsupported)
	case h.compression < 0 || h.compression > alphaBits:
		return fmt.Errorf("%w: compression %d: save it uncompressed", ErrUnsupported, h.compression)
	}
	want := map[int]int{rle8: 8, rle4: 4}[h.compression]
	if want != 0 && h.bits != want || want != 0 && h.topDown {
		return damaged("run lengths of %d bits a pixel", h.bits)
	}
	switch h.bits {
	case 1, 2, 4, 8, 16, 24, 32:
		return nil
	}
	return fmt.Errorf("%w: %d bits a pixel: save it with 8 or 24", ErrUnsupported, h.bits)
}

// readMasks finds which bits are which colour: in the header from 52 bytes on, else
// behind it.
func (h *Header) readMasks(info, after []byte) []byte {
	switch h.bits {
	case 16:
		h.masks = [4]uint32{0x7c00, 0x3e0, 0x1f}
	case 32:
		h.masks = [4]uint32{0xff0000, 0xff00, 0xff}
	default:
		return after
	}
	if h.compression != bitfields && h.compression != alphaBits {
		return after
	}
	from, n := info[min(40, len(info)):], 3
	if len(info) < 52 {
		if h.compression == alphaBits {
			n = 4
		}
		if from = after; len(after) >= 4*n {
			after = after[4*n:]
		}
	} else if len(info) >= 56 {
		n = 4
	}
	if len(from) >= 4*n {
		for i := range n {
			h.masks[i] = binary.LittleEndian.Uint32(from[4*i:])
		}
	}
	return after
}

// readPalette reads blue, green, red and, from Windows on, a byte of nothing.
func (h *Header) readPalette(b []byte, colors, entry int) {
	h.palette = make([][3]uint8, 0, colors)
	for ; len(h.palette) < colors && len(b) >= entry; b = b[entry:] {
		h.palette = append(h.palette, [3]uint8{b[2], b[1], b[0]})
	}
}

// rowBytes is the length of a stored row, filled to four bytes.
func (h *Header) rowBytes() int64 { return (int64(h.Width)*int64(h.bits) + 31) / 32 * 4 }

// Enough reports whether the pixels can all be there. Run lengths may leave pixels out,
// which are the first colour then: some blank canvas is allowed.
func (h *Header) Enough() bool {
	if h.compression == rle8 || h.compression == rle4 {
		const slack = 4 << 20
		return int64(h.Width)*int64(h.Height) <= max(slack, 256*int64(len(h.pixels)))
	}
	return h.rowBytes()*int64(h.Height)-3 <= int64(len(h.pixels))
}

// Decode reads the pixels as rows of RGB, 3·Width·Height bytes. Alpha is used where the
// header names bits for it and any pixel sets them. Errors wrap ErrFormat.
func (h *Header) Decode() ([]uint8, error) {
	out := make([]uint8, 3*h.Width*h.Height)
	if h.compression == rle8 || h.compression == rle4 {
		return out, h.runs(out)
	}
	stride := int(h.rowBytes())
	rows := h.pixels
	if missing := stride*h.Height - len(rows); missing > 0 && missing < 4 {
		rows = append(append([]byte(nil), rows...), 0, 0, 0)
	} else if missing > 0 {
		return nil, damaged("its data ends too early")
	}
	row := h.rowConverter(rows[:stride*h.Height])
	for y := range h.Height {
		from := h.Height - 1 - y
		if h.topDown {
			from = y
		}
		row(out[3*h.Width*y:][:3*h.Width], rows[stride*from:][:stride])
	}
	return out, nil
}

// color is that of an index; beyond the table it is black.
func (h *Header) color(i int) [3]uint8 {
	if i < len(h.palette) {
		return h.palette[i]
	}
	return [3]uint8{}
}

func (h *Header) rowConverter(all []byte) func(to, from []byte) {
	switch h.bits {
	case 24:
		return func(to, from []byte) {
			for i := 0; i < len(to); i += 3 {
				to[i], to[i+1], to[i+2] = from[i+2], from[i+1], from[i]
			}
		}
	case 16, 32:
		return h.maskConverter(all)
	}
	perByte := 8 / h.bits
	return func(to, from []byte) {
		for x := range h.Width {
			shift := 8 - h.bits*(1+x%perByte)
			c := h.color(int(from[x/perByte]) >> shift & (1<<h.bits - 1))
			copy(to[3*x:], c[:])
		}
	}
}

// channel is where a colour's bits lie.
type channel struct {
	shift int
	most  uint32
}

func (c channel) of(v uint32) uint8 {
	if c.most == 0 {
		return 0
	}
	return uint8((uint64(v>>c.shift&c.most)*255 + uint64(c.most)/2) / uint64(c.most))
}

func (h *Header) maskConverter(all []byte) func(to, from []byte) {
	var channels [4]channel
	for i, m := range h.masks {
		shift := bits.TrailingZeros32(m)
		channels[i] = channel{shift & 31, m >> (shift & 31)}
	}
	size := h.bits / 8
	value := func(p []byte) uint32 {
		if size == 2 {
			return uint32(binary.LittleEndian.Uint16(p))
		}
		return binary.LittleEndian.Uint32(p)
	}
	alpha := false // all zero is what programs write that know no alpha
	for i := 0; h.masks[3] != 0 && !alpha && i+size <= len(all); i += size {
		alpha = value(all[i:])&h.masks[3] != 0
	}
	return func(to, from []byte) {
		for x := range h.Width {
			v, p := value(from[x*size:]), to[3*x:3*x+3]
			p[0], p[1], p[2] = channels[0].of(v), channels[1].of(v), channels[2].of(v)
			if alpha {
				rgb.Blend(p, p[0], p[1], p[2], channels[3].of(v))
			}
		}
	}
}

// runs decodes run lengths: n pixels of a colour (of two in turn, with 4 bits), or after
// a zero: the row's end, the file's, a step, or pixels as they are. Pixels beyond a row
// are left out; data that ends early leaves the rest as it is.
func (h *Header) runs(out []uint8) error {
	first := h.color(0)
	for i := 0; i < len(out); i += 3 {
		copy(out[i:], first[:])
	}
	x, y, b := 0, h.Height-1, h.pixels
	put := func(index byte) {
		if x < h.Width && y >= 0 {
			c := h.color(int(index))
			copy(out[3*(y*h.Width+x):], c[:])
		}
		x++
	}
	half := func(v byte, odd bool) byte {
		switch {
		case h.bits == 8:
			return v
		case odd:
			return v & 15
		}
		return v >> 4
	}
	for y >= 0 {
		if len(b) < 2 {
			return damaged("its data ends too early")
		}
		n, v := int(b[0]), b[1]
		b = b[2:]
		switch {
		case n > 0:
			for i := range n {
				put(half(v, i&1 == 1))
			}
		case v == 0:
			x, y = 0, y-1
		case v == 1:
			return nil
		case v == 2:
			if len(b) < 2 {
				return damaged("its data ends too early")
			}
			x, y, b = x+int(b[0]), y-int(b[1]), b[2:]
		default:
			size := (int(v)*h.bits + 7) / 8
			if len(b) < size {
				return damaged("its data ends too early")
			}
			for i := range int(v) {
				put(half(b[i*h.bits/8], i&1 == 1))
			}
			b = b[min(size+size&1, len(b)):]
		}
	}
	return nil
}
