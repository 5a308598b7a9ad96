package imaging

import (
	"bytes"
	"encoding/binary"

	"github.com/groupvit/groupvit/internal/imaging/tiff"
)

// EXIF orientation: tag 0x0112 of the first directory of a TIFF structure,
// which JPEG keeps in an APP1 segment, PNG in a chunk eXIf, WebP in a chunk
// EXIF (Exif 2.32, §4.6.4A).
const orientationTag = 0x0112

func upright([]byte) int { return 1 }

// orientationTIFF reads the tag from a TIFF structure; 1 if it has none or
// makes no sense.
func orientationTIFF(b []byte) int {
	if len(b) < 8 || !tiff.Is(b) {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for n := int(order.Uint16(b[at:])); n > 0 && len(entries) >= 12; n-- {
		const short = 3
		if order.Uint16(entries) == orientationTag && order.Uint16(entries[2:]) == short {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// orientationJPEG walks the segments up to the first scan.
func orientationJPEG(b []byte) int {
	const app1, startOfScan = 0xe1, 0xda
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		marker := b[at+1]
		if marker == 0xff { // fill byte
			at++
			continue
		}
		if marker == startOfScan {
			break
		}
		size := int(binary.BigEndian.Uint16(b[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(b) {
			break
		}
		if body, ok := bytes.CutPrefix(b[at+4:end], []byte("Exif\x00\x00")); ok && marker == app1 {
			return orientationTIFF(body)
		}
		at = end
	}
	return 1
}

// orientationPNG walks the chunks: length, name, data, checksum.
func orientationPNG(b []byte) int {
	for at := 8; at+12 <= len(b); {
		size := uint64(binary.BigEndian.Uint32(b[at:]))
		body := b[at+8:]
		if size+4 > uint64(len(body)) {
			break
		}
		if string(b[at+4:at+8]) == "eXIf" {
			return orientationTIFF(body[:size])
		}
		at += 12 + int(size)
	}
	return 1
}

// orientationWebP walks the RIFF chunks: name, length, data, padding to even.
func orientationWebP(b []byte) int {
	for at := 12; at+8 <= len(b); {
		size := uint64(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		if size > uint64(len(body)) {
			break
		}
		if string(b[at:at+4]) == "EXIF" {
			exif := body[:size]
			return orientationTIFF(bytes.TrimPrefix(exif, []byte("Exif\x00\x00")))
		}
		at += 8 + int(size+size&1)
	}
	return 1
}

// orient brings an image upright. EXIF says where row 0 and column 0 of the
// stored pixels lie: 2 mirrored, 3 turned by 180°, 4 mirrored and turned by
// 180°, 5 transposed, 6 needs 90° clockwise, 7 transverse, 8 needs 90°
// counter-clockwise.
func orient(im *Image, orientation int) *Image {
	w, h := im.Width, im.Height
	// source returns the stored pixel of the upright (x, y).
	var source func(x, y int) int
	switch orientation {
	case 2:
		source = func(x, y int) int { return y*w + w - 1 - x }
	case 3:
		source = func(x, y int) int { return (h-1-y)*w + w - 1 - x }
	case 4:
		source = func(x, y int) int { return (h-1-y)*w + x }
	case 5:
		source = func(x, y int) int { return x*w + y }
	case 6:
		source = func(x, y int) int { return (h-1-x)*w + y }
	case 7:
		source = func(x, y int) int { return (h-1-x)*w + w - 1 - y }
	case 8:
		source = func(x, y int) int { return x*w + w - 1 - y }
	default:
		return im
	}
	out := &Image{w, h, make([]uint8, len(im.Pix))}
	if orientation >= 5 {
		out.Width, out.Height = h, w
	}
	at := 0
	for y := range out.Height {
		for x := range out.Width {
			from := 3 * source(x, y)
			copy(out.Pix[at:at+3], im.Pix[from:from+3])
			at += 3
		}
	}
	return out
}
