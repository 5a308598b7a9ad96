// Package jpeg reads the JPEG files that the standard library refuses and other programs
// show: of any sampling, from cameras that leave the tables of codes out, with restart
// marks lost or wrong, and with their last bytes missing. It follows ITU-T T.81, and
// libjpeg where a file does not.
//
// In this order: jpeg.go (marks and tables), scan.go (which blocks a scan holds),
// huffman.go (bits and codes), block.go (coefficients), pixels.go (transform, colours).
package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	// ErrFormat is wrapped by errors for files that are damaged, or no JPEG.
	ErrFormat = errors.New("damaged")
	// ErrUnsupported is wrapped by errors for kinds that are not read.
	ErrUnsupported = errors.New("not supported")
)

// Marks.
const (
	startOfImage  = 0xd8
	endOfImage    = 0xd9
	startOfScan   = 0xda
	quantisation  = 0xdb
	restartEvery  = 0xdd
	huffmanTables = 0xc4
	arithmetic    = 0xcc
	app0          = 0xe0
	app14         = 0xee
	restart0      = 0xd0
)

// Image is a JPEG's frame and what has been read of it.
type Image struct {
	// Width and Height are in pixels.
	Width, Height int

	b           []byte
	progressive bool
	components  []component
	hMax, vMax  int
	quant       [4][64]uint16
	huffman     [2][4]*table // DC, AC
	restart     int
	adobe       int // the colour transform, -1 without one
	jfif        bool
	scans       int
	// blocks is how many the scans that come first for their components should hold,
	// lost how many of them are not there.
	blocks, lost int
}

// component is a colour.
type component struct {
	id, h, v, quant int
	// across and down are its blocks, filled to whole units of all components.
	across, down int
	// width and height are those in blocks of the picture itself.
	width, height int
	coefficients  []int16
	// first has a bit for each coefficient whose first pass has been read.
	first uint64
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

// ReadHeader reads up to the frame's header. Errors wrap ErrFormat or ErrUnsupported.
func ReadHeader(b []byte) (*Image, error) {
	im := &Image{b: b, adobe: -1}
	err := im.segments(func(mark byte, _ []byte, _ int) (int, error) {
		if mark == startOfScan {
			return 0, damaged("a scan before its size")
		}
		return 0, nil
	}, true)
	if err == nil && len(im.components) == 0 {
		err = damaged("it ends before its size")
	}
	return im, err
}

// segments walks the marks from the start. Frames and tables are read here; scan is
// called for a scan's header, and returns where its data ends. headerOnly ends the walk
// at the frame's header.
func (im *Image) segments(scan func(mark byte, body []byte, at int) (int, error), headerOnly bool) error {
	for at := 0; at+1 < len(im.b); {
		if im.b[at] != 0xff || im.b[at+1] == 0xff || im.b[at+1] == 0 {
			at++
			continue
		}
		mark := im.b[at+1]
		at += 2
		if mark == startOfImage || mark >= restart0 && mark < restart0+8 || mark == 1 {
			continue
		}
		if mark == endOfImage {
			return nil
		}
		if at+2 > len(im.b) {
			return nil
		}
		size := int(binary.BigEndian.Uint16(im.b[at:]))
		if size < 2 || at+size > len(im.b) {
			return nil // cut inside a segment: what was read before counts
		}
		body := im.b[at+2 : at+size]
		at += size
		if err := im.segment(mark, body); err != nil {
			return err
		}
		if headerOnly && len(im.components) > 0 {
			return nil
		}
		if mark == startOfScan {
			next, err := scan(mark, body, at)
			if err != nil {
				return err
			}
			at = next
		}
	}
	return nil
}

func (im *Image) segment(mark byte, body []byte) error {
	switch mark {
	case 0xc0, 0xc1, 0xc2:
		im.progressive = mark == 0xc2
		return im.frame(body)
	case 0xc3, 0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf:
		return fmt.Errorf("%w: lossless or hierarchical JPEG: save it as PNG or plain JPEG", ErrUnsupported)
	case 0xc9, 0xca, arithmetic:
		return fmt.Errorf("%w: arithmetic coding: convert it with jpegtran -optimize, or save it again as plain JPEG", ErrUnsupported)
	case 0xf7:
		return fmt.Errorf("%w: JPEG-LS: save it as PNG or plain JPEG", ErrUnsupported)
	case quantisation:
		return im.readQuantisation(body)
	case huffmanTables:
		return im.readHuffman(body)
	case restartEvery:
		if len(body) >= 2 {
			im.restart = int(binary.BigEndian.Uint16(body))
		}
	case app0:
		im.jfif = im.jfif || len(body) >= 5 && string(body[:5]) == "JFIF\x00"
	case app14:
		if len(body) >= 12 && string(body[:5]) == "Adobe" {
			im.adobe = int(body[11])
		}
	}
	return nil
}

// frame reads the frame's header: size and components.
func (im *Image) frame(body []byte) error {
	switch {
	case len(im.components) > 0:
		return damaged("two frames")
	case len(body) < 6 || len(body) < 6+3*int(body[5]):
		return damaged("its frame's header is cut")
	case body[0] != 8:
		return fmt.Errorf("%w: JPEG of %d bits: save it with 8", ErrUnsupported, body[0])
	}
	im.Height, im.Width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if im.Width == 0 || im.Height == 0 {
		return damaged("%d×%d pixels", im.Width, im.Height)
	}
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%w: JPEG of %d components: save it as RGB", ErrUnsupported, n)
	}
	blocks := 0
	for i := range n {
		p := body[6+3*i:]
		c := component{id: int(p[0]), h: int(p[1] >> 4), v: int(p[1] & 15), quant: int(p[2])}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return damaged("a component is sampled %d×%d with table %d", c.h, c.v, c.quant)
		}
		if n == 1 {
			c.h, c.v = 1, 1 // alone it is not sampled, whatever it says
		}
		im.hMax, im.vMax = max(im.hMax, c.h), max(im.vMax, c.v)
		blocks += c.h * c.v
		im.components = append(im.components, c)
	}
	unitsAcross, unitsDown := ceil(im.Width, 8*im.hMax), ceil(im.Height, 8*im.vMax)
	for i := range im.components {
		c := &im.components[i]
		c.across, c.down = unitsAcross*c.h, unitsDown*c.v
		c.width, c.height = ceil(ceil(im.Width*c.h, im.hMax), 8), ceil(ceil(im.Height*c.v, im.vMax), 8)
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

func (im *Image) readQuantisation(b []byte) error {
	for len(b) > 0 {
		wide, id := b[0]>>4, b[0]&15
		size := 64 * (1 + int(wide&1))
		if b = b[1:]; id > 3 || wide > 1 || len(b) < size {
			return damaged("its table of quantisation")
		}
		for i := range 64 {
			if wide == 1 {
				im.quant[id][zigzag[i]] = binary.BigEndian.Uint16(b[2*i:])
			} else {
				im.quant[id][zigzag[i]] = uint16(b[i])
			}
		}
		b = b[size:]
	}
	return nil
}

func (im *Image) readHuffman(b []byte) error {
	for len(b) >= 17 {
		class, id := b[0]>>4, b[0]&15
		n := 0
		for _, c := range b[1:17] {
			n += int(c)
		}
		if class > 1 || id > 3 || n > 256 || len(b) < 17+n {
			return damaged("its table of codes")
		}
		t, err := newTable(b[1:17], b[17:17+n])
		if err != nil {
			return err
		}
		im.huffman[class][id] = t
		b = b[17+n:]
	}
	return nil
}
