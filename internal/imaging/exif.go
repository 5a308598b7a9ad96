package imaging

import (
	"bytes"
	"encoding/binary"
	"regexp"

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
	xmp := 1
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
		if body, ok := bytes.CutPrefix(b[at+4:end], []byte("http://ns.adobe.com/xap/1.0/\x00")); ok && marker == app1 {
			xmp = orientationXMP(body)
		}
		at = end
	}
	return xmp
}

// orientationEXIF reads a TIFF structure, before which programs put the six bytes that
// only JPEG has.
func orientationEXIF(b []byte) int {
	return orientationTIFF(bytes.TrimPrefix(b, []byte("Exif\x00\x00")))
}

// xmpOrientation finds the orientation in XMP, as an attribute or an element.
var xmpOrientation = regexp.MustCompile(`tiff:Orientation(?:="|>)([1-8])`)

// orientationXMP is used where there is no EXIF, as Pillow does; 1 without XMP.
func orientationXMP(b []byte) int {
	if m := xmpOrientation.FindSubmatch(b[:min(len(b), metadataBytes)]); m != nil {
		return int(m[1][0] - '0')
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
