package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/groupvit/groupvit/internal/limits"
)

// Directory is an image file directory: the tags of one picture. Values are read when
// they are asked for.
type Directory struct {
	r       io.ReaderAt
	order   binary.ByteOrder
	big     bool
	entries map[uint16]entry
	next    uint64
}

// entry is a tag's type and number of values, and its field of 4 or 8 bytes: the
// values, or where they lie.
type entry struct {
	kind  uint16
	count uint64
	field []byte
}

// kindBytes are the bytes of a value by type (TIFF 6.0, section 2; BigTIFF).
var kindBytes = map[uint16]uint64{
	1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}

// Is reports whether a file begins like a TIFF or BigTIFF.
func Is(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	switch string(b[:4]) {
	case "II*\x00", "MM\x00*", "II+\x00", "MM\x00+":
		return true
	}
	return false
}

// ReadDirectory reads the first directory of a file. Errors wrap ErrFormat or
// [limits.ErrTooLarge], or are the reader's.
func ReadDirectory(r io.ReaderAt) (*Directory, error) {
	var head [16]byte
	if n, err := r.ReadAt(head[:], 0); err != nil && (n < 8 || !errors.Is(err, io.EOF)) {
		return nil, short(err)
	}
	if !Is(head[:]) {
		return nil, fmt.Errorf("%w: it is no TIFF", ErrFormat)
	}
	d := &Directory{r: r, order: binary.LittleEndian}
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	at := uint64(d.order.Uint32(head[4:]))
	if d.big = head[2]+head[3] == '+'; d.big {
		if d.order.Uint16(head[4:]) != 8 || d.order.Uint16(head[6:]) != 0 {
			return nil, fmt.Errorf("%w: offsets of its BigTIFF have not 8 bytes", ErrFormat)
		}
		at = d.order.Uint64(head[8:])
	}
	return d, d.read(at)
}

// Next reads the directory that follows; it is nil at the end.
func (d *Directory) Next() (*Directory, error) {
	if d.next == 0 {
		return nil, nil
	}
	n := &Directory{r: d.r, order: d.order, big: d.big}
	return n, n.read(d.next)
}

func (d *Directory) read(at uint64) error {
	countBytes, fieldBytes := 2, 4
	if d.big {
		countBytes, fieldBytes = 8, 8
	}
	head, err := d.at(at, uint64(countBytes))
	if err != nil {
		return err
	}
	n := d.number(head)
	if err := limits.Check("number of tags", "TIFF", int64(min(n, math.MaxInt64)), limits.TIFFEntries, "save it anew"); err != nil {
		return err
	}
	entryBytes := 4 + 2*fieldBytes
	b, err := d.at(at+uint64(countBytes), n*uint64(entryBytes))
	if err != nil {
		return err
	}
	d.entries = make(map[uint16]entry, n)
	for ; len(b) > 0; b = b[entryBytes:] {
		tag := d.order.Uint16(b)
		if _, twice := d.entries[tag]; !twice {
			d.entries[tag] = entry{d.order.Uint16(b[2:]), d.number(b[4 : 4+fieldBytes]), b[4+fieldBytes : entryBytes]}
		}
	}
	// Files that end without the next directory's place are common enough.
	if next, err := d.at(at+uint64(countBytes)+n*uint64(entryBytes), uint64(fieldBytes)); err == nil {
		d.next = d.number(next)
	}
	return nil
}

// number reads 2, 4 or 8 bytes.
func (d *Directory) number(b []byte) uint64 {
	switch len(b) {
	case 2:
		return uint64(d.order.Uint16(b))
	case 4:
		return uint64(d.order.Uint32(b))
	}
	return d.order.Uint64(b)
}

func (d *Directory) at(offset, n uint64) ([]byte, error) {
	if n > math.MaxInt32 || offset > math.MaxInt64-n {
		return nil, short(io.EOF)
	}
	if n > 1<<16 { // allocated only where it is there
		var last [1]byte
		if got, err := d.r.ReadAt(last[:], int64(offset+n-1)); got == 0 {
			return nil, short(err)
		}
	}
	b := make([]byte, n)
	if got, err := d.r.ReadAt(b, int64(offset)); err != nil && uint64(got) < n {
		return nil, short(err)
	}
	return b, nil
}

func short(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it is cut", ErrFormat)
	}
	return err
}

// Has reports whether a tag is there.
func (d *Directory) Has(tag uint16) bool { _, ok := d.entries[tag]; return ok }

// Kind returns the type of a tag's values as TIFF numbers them, 0 without the tag.
func (d *Directory) Kind(tag uint16) uint16 { return d.entries[tag].kind }

// bytes returns a tag's values as stored, and the size of one; nil without the tag.
// More than most values are refused before they are read.
func (d *Directory) bytes(tag uint16, most int64) ([]byte, uint64, error) {
	e, ok := d.entries[tag]
	if !ok {
		return nil, 1, nil
	}
	size := kindBytes[e.kind]
	if size == 0 {
		return nil, 1, fmt.Errorf("%w: tag %d has the unknown type %d", ErrFormat, tag, e.kind)
	}
	what := fmt.Sprintf("number of values of tag %d", tag)
	if err := limits.Check(what, "TIFF", int64(min(e.count, math.MaxInt64)), most, "save it anew"); err != nil {
		return nil, 1, err
	}
	if n := e.count * size; n <= uint64(len(e.field)) {
		return e.field[:n], size, nil
	}
	b, err := d.at(d.number(e.field), e.count*size)
	return b, size, err
}

// Uints returns a tag's values as whole numbers, nil without the tag.
func (d *Directory) Uints(tag uint16, most int64) ([]uint64, error) {
	b, size, err := d.bytes(tag, most)
	if err != nil || b == nil {
		return nil, err
	}
	switch k := d.entries[tag].kind; k {
	case 1, 3, 4, 6, 7, 8, 9, 13, 16, 17, 18:
	default:
		return nil, fmt.Errorf("%w: tag %d has type %d, no whole numbers", ErrFormat, tag, k)
	}
	out := make([]uint64, 0, uint64(len(b))/size)
	for ; len(b) > 0; b = b[size:] {
		if size == 1 {
			out = append(out, uint64(b[0]))
		} else {
			out = append(out, d.number(b[:size]))
		}
	}
	return out, nil
}

// Uint returns a tag's first value, or another number without one.
func (d *Directory) Uint(tag uint16, without uint64) (uint64, error) {
	v, err := d.Uints(tag, limits.TIFFEntries)
	if err != nil || len(v) == 0 {
		return without, err
	}
	return v[0], nil
}

// Floats returns a tag's values as numbers, nil without the tag.
func (d *Directory) Floats(tag uint16, most int64) ([]float64, error) {
	b, size, err := d.bytes(tag, most)
	if err != nil || b == nil {
		return nil, err
	}
	var out []float64
	for ; len(b) > 0; b = b[size:] {
		switch d.entries[tag].kind {
		case 3:
			out = append(out, float64(d.order.Uint16(b)))
		case 4:
			out = append(out, float64(d.order.Uint32(b)))
		case 5:
			out = append(out, float64(d.order.Uint32(b))/float64(d.order.Uint32(b[4:])))
		case 11:
			out = append(out, float64(math.Float32frombits(d.order.Uint32(b))))
		case 12:
			out = append(out, math.Float64frombits(d.order.Uint64(b)))
		default:
			return nil, fmt.Errorf("%w: tag %d has type %d, no numbers", ErrFormat, tag, d.entries[tag].kind)
		}
	}
	return out, nil
}

// Bytes returns a tag's values of one byte, nil without the tag.
func (d *Directory) Bytes(tag uint16, most int64) ([]byte, error) {
	b, size, err := d.bytes(tag, most)
	if err == nil && size != 1 {
		err = fmt.Errorf("%w: tag %d has type %d, no bytes", ErrFormat, tag, d.entries[tag].kind)
	}
	return b, err
}
