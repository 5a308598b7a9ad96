//go:build (cgo || nodynamic) && !noheif

package heif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/limits"
)

// What a file's boxes say of its picture, before anything is decoded (ISO/IEC 14496-12,
// 23008-12): its primary item's size, and how it is to be turned and mirrored.

var (
	errBoxes = errors.New("its boxes do not say how large its picture is")
	errSmall = errors.New("too small")
)

// boxes walks the boxes of b: length, name, content. It ends at the first that does not
// fit.
func boxes(b []byte) func(yield func(name string, body []byte) bool) {
	return func(yield func(name string, body []byte) bool) {
		for len(b) >= 8 {
			size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
			switch {
			case size == 1 && len(b) >= 16:
				size, head = binary.BigEndian.Uint64(b[8:]), 16
			case size == 0: // up to the end
				size = uint64(len(b))
			}
			if size < head || size > uint64(len(b)) {
				return
			}
			if !yield(string(b[4:8]), b[head:size]) {
				return
			}
			b = b[size:]
		}
	}
}

// child returns the first box of a name.
func child(b []byte, name string) []byte {
	for n, body := range boxes(b) {
		if n == name {
			return body
		}
	}
	return nil
}

// full takes the version and flags off a box's content.
func full(b []byte) (version byte, rest []byte) {
	if len(b) < 4 {
		return 0, nil
	}
	return b[0], b[4:]
}

// brands are those that a file names: its own, and those it is compatible with.
func brands(b []byte) []string {
	ftyp := child(b[:min(len(b), 4096)], "ftyp")
	var out []string
	for i := 0; i+4 <= len(ftyp); i += 4 {
		if i != 4 { // its version
			out = append(out, string(ftyp[i:i+4]))
		}
	}
	return out
}

func has(b []byte, names ...string) bool {
	all := brands(b)
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(all, n) })
}

func isHEIC(b []byte) bool {
	return has(b, "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs") && !isAVIF(b)
}

func isAVIF(b []byte) bool { return has(b, "avif", "avis") }

// picture is what the properties of an item say.
type picture struct {
	width, height int
	// across and down are its size once it is cut to its clean aperture and turned.
	across, down int
	// turns are quarters counter-clockwise; mirror is none, vertical (0) or horizontal (1).
	turns, mirror int
}

const noMirror = -1

// primary reads the properties of the primary item. Whichever item's is largest must
// keep within the caps: tiles and pictures within are decoded too.
func primary(b []byte) (picture, error) {
	p := picture{mirror: noMirror}
	meta := metaOf(b)
	properties := child(meta, "iprp")
	version, pitm := full(child(meta, "pitm"))
	if properties == nil || len(pitm) < 2 {
		return p, errBoxes
	}
	item := uint32(binary.BigEndian.Uint16(pitm))
	if version > 0 && len(pitm) >= 4 {
		item = binary.BigEndian.Uint32(pitm)
	}
	var all [][2]any
	for name, body := range boxes(child(properties, "ipco")) {
		if all = append(all, [2]any{name, body}); len(all) > limits.HEIFProperties {
			return p, fmt.Errorf("%w: more than %d properties", errBoxes, limits.HEIFProperties)
		}
		if w, h, ok := size(name, body); ok {
			if err := limits.Check("longer side in pixels", "an item", int64(max(w, h)), limits.ImageSide, "save it anew"); err != nil {
				return p, err
			}
			if err := limits.Check("number of pixels", "an item", int64(w)*int64(h), limits.ImagePixels, "make it smaller"); err != nil {
				return p, err
			}
		}
	}
	for _, index := range associations(child(properties, "ipma"), item) {
		if index < 1 || index > len(all) {
			continue
		}
		name, body := all[index-1][0].(string), all[index-1][1].([]byte)
		if w, h, ok := size(name, body); ok {
			p.width, p.height = w, h
			p.across, p.down = w, h
		}
		switch {
		case name == "clap":
			p.cut(body)
		case name == "irot" && len(body) > 0:
			if p.turns = int(body[0] & 3); p.turns&1 == 1 {
				p.across, p.down = p.down, p.across
			}
		case name == "imir" && len(body) > 0:
			p.mirror = int(body[0] & 1)
		}
	}
	if p.width == 0 || p.height == 0 {
		return p, errBoxes
	}
	return p, nil
}

// cut applies a clean aperture: its width and height as fractions.
func (p *picture) cut(body []byte) {
	if len(body) < 16 {
		return
	}
	side := func(at, most int) int {
		if d := binary.BigEndian.Uint32(body[at+4:]); d > 0 {
			return int(min(binary.BigEndian.Uint32(body[at:])/d, uint32(most)))
		}
		return most
	}
	p.across, p.down = side(0, p.across), side(8, p.down)
}

// size reads a property of size.
func size(name string, body []byte) (w, h int, ok bool) {
	if _, body = full(body); name != "ispe" || len(body) < 8 {
		return 0, 0, false
	}
	return int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:])), true
}

// associations are the numbers, from 1, of an item's properties.
func associations(b []byte, item uint32) (out []int) {
	if len(b) < 8 {
		return nil
	}
	version, wide := b[0], b[3]&1 == 1
	n := binary.BigEndian.Uint32(b[4:])
	b = b[8:]
	for ; n > 0; n-- {
		idBytes := 2
		if version > 0 {
			idBytes = 4
		}
		if len(b) < idBytes+1 {
			return out
		}
		id := uint32(binary.BigEndian.Uint16(b))
		if version > 0 {
			id = binary.BigEndian.Uint32(b)
		}
		count := int(b[idBytes])
		b = b[idBytes+1:]
		for range count {
			index, step := 0, 1
			if wide {
				step = 2
			}
			if len(b) < step {
				return out
			}
			if index = int(b[0] & 0x7f); wide {
				index = int(binary.BigEndian.Uint16(b) & 0x7fff)
			}
			if b = b[step:]; id == item {
				out = append(out, index)
			}
		}
	}
	return out
}

// sizeHEIC is that of the upright picture: libheif cuts and turns it.
func sizeHEIC(b []byte) (int, int, error) {
	p, err := primary(b)
	if err == nil && min(p.width, p.height, p.across, p.down) < leastSide {
		err = fmt.Errorf("%w: it has %d×%d pixels, fewer than %d on a side are not read: convert it to PNG", errSmall, p.across, p.down, leastSide)
	}
	return p.across, p.down, err
}

// leastSide: the decoder's module takes the rows of smaller pictures for shorter than
// libheif makes them, which has 64 bytes or more for a row of halved colours.
const leastSide = 128

// sizeAVIF is that of the picture as stored, or of the first track of a sequence.
func sizeAVIF(b []byte) (int, int, error) {
	p, err := primary(b)
	if !errors.Is(err, errBoxes) {
		return p.width, p.height, err
	}
	for name, track := range boxes(child(b, "moov")) {
		head := child(track, "tkhd")
		if name == "trak" && len(head) >= 8 {
			// Width and height are its last words, in 16.16.
			w, h := binary.BigEndian.Uint32(head[len(head)-8:])>>16, binary.BigEndian.Uint32(head[len(head)-4:])>>16
			if w > 0 && h > 0 {
				return int(w), int(h), nil
			}
		}
	}
	return 0, 0, err
}

// orientationAVIF is EXIF's number for turning, then mirroring, which libavif leaves to
// its callers.
func orientationAVIF(b []byte) int {
	p, err := primary(b)
	if err != nil {
		return 1
	}
	switch p.mirror {
	case 0: // top and bottom change places
		return [4]int{4, 5, 2, 7}[p.turns]
	case 1: // left and right
		return [4]int{2, 7, 4, 5}[p.turns]
	}
	return [4]int{1, 8, 3, 6}[p.turns]
}

// hasAlpha reports whether an item of the file is another's transparency.
func hasAlpha(b []byte) bool {
	ipco := child(child(metaOf(b), "iprp"), "ipco")
	return bytes.Contains(ipco, []byte("urn:mpeg:hevc:2015:auxid:1")) || bytes.Contains(ipco, []byte("auxiliary:alpha"))
}

func metaOf(b []byte) []byte {
	_, meta := full(child(b, "meta"))
	return meta
}
