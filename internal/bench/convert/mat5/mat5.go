// Package mat5 reads MATLAB's MAT-files of level 5, as far as annotations of
// datasets need it: numbers, characters, structs and cells. The format is that of
// MathWorks' "MAT-File Format", chapter 1. Whatever a file claims, no more memory
// is taken than its data and a cap.
package mat5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrFormat is wrapped by errors about bytes that are no MAT-file of level 5.
var ErrFormat = errors.New("no MAT-file of level 5")

// Types of data elements.
const (
	typeInt8       = 1
	typeUint8      = 2
	typeInt16      = 3
	typeUint16     = 4
	typeInt32      = 5
	typeUint32     = 6
	typeSingle     = 7
	typeDouble     = 9
	typeInt64      = 12
	typeUint64     = 13
	typeMatrix     = 14
	typeCompressed = 15
	typeUTF8       = 16
	typeUTF16      = 17
)

// Classes of arrays.
const (
	classCell   = 1
	classStruct = 2
	classObject = 3
	classSparse = 5
	classFirst  = 4  // characters and numbers
	classLast   = 15 // uint64
)

// Bounds of what is read: nested arrays, dimensions, fields, elements of a cell or
// struct.
const (
	maxDepth    = 16
	maxDims     = 8
	maxChildren = 1 << 16
)

// Array is one array of a file.
type Array struct {
	Name string
	// Dims are its sizes; numbers are stored column by column.
	Dims []int
	// Numbers are its values, the real parts, if it holds numbers or characters.
	Numbers []float64
	// Fields are a struct's fields, each with an array for each element; Cells are
	// a cell's elements.
	Fields map[string][]*Array
	Cells  []*Array
}

// Read reads the arrays of a file.
func Read(r io.Reader) ([]*Array, error) {
	b, err := io.ReadAll(io.LimitReader(r, limits.MatBytes+1))
	if err != nil {
		return nil, err
	}
	if err := limits.Check("its size in bytes", "MAT-file", int64(len(b)), limits.MatBytes, "store fewer arrays in it"); err != nil {
		return nil, err
	}
	const header = 128
	if bytes.HasPrefix(b, []byte("\x89HDF")) || len(b) > 512 && bytes.HasPrefix(b[512:], []byte("\x89HDF")) {
		return nil, fmt.Errorf("%w: it is HDF5 (MATLAB 7.3): save it with -v7", ErrFormat)
	}
	if len(b) < header {
		return nil, fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	f := &file{order: binary.LittleEndian, left: limits.MatBytes}
	switch string(b[126:128]) {
	case "IM":
	case "MI":
		f.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("%w: no endian mark", ErrFormat)
	}
	var arrays []*Array
	for rest := b[header:]; len(rest) > 0; {
		var e element
		if e, rest, err = f.element(rest); err != nil {
			return nil, err
		}
		a, err := f.top(e)
		if err != nil {
			return nil, err
		}
		if a != nil {
			arrays = append(arrays, a)
		}
	}
	return arrays, nil
}

// Field returns a field of the first element of the array of that name.
func Field(arrays []*Array, name, field string) (*Array, error) {
	for _, a := range arrays {
		if a.Name == name {
			if list := a.Fields[field]; len(list) > 0 {
				return list[0], nil
			}
			return nil, fmt.Errorf("%w: %s has no field %s", ErrFormat, name, field)
		}
	}
	return nil, fmt.Errorf("%w: there is no array %s", ErrFormat, name)
}

// file is what reading needs to know.
type file struct {
	order binary.ByteOrder
	left  int64 // bytes that may still be inflated or turned into numbers
}

// element is a data element: a type and its bytes.
type element struct {
	kind uint32
	data []byte
}

// element takes an element off the front of b. Elements are padded to eight bytes,
// but for compressed ones; small ones lie inside their tag.
func (f *file) element(b []byte) (element, []byte, error) {
	if len(b) < 8 {
		return element{}, nil, fmt.Errorf("%w: a tag of %d bytes", ErrFormat, len(b))
	}
	kind := f.order.Uint32(b)
	if small := kind >> 16; small != 0 {
		if small > 4 {
			return element{}, nil, fmt.Errorf("%w: a small element of %d bytes", ErrFormat, small)
		}
		return element{kind & 0xffff, b[4 : 4+small]}, b[8:], nil
	}
	n := uint64(f.order.Uint32(b[4:]))
	if n > uint64(len(b)-8) {
		return element{}, nil, fmt.Errorf("%w: an element of %d bytes, %d are left", ErrFormat, n, len(b)-8)
	}
	data, rest := b[8:8+n], b[8+n:]
	if pad := int(-n & 7); kind != typeCompressed && pad > 0 {
		rest = rest[min(pad, len(rest)):]
	}
	return element{kind, data}, rest, nil
}

// top reads an element of the file itself; what is no array is left out.
func (f *file) top(e element) (*Array, error) {
	if e.kind == typeCompressed {
		z, err := zlib.NewReader(bytes.NewReader(e.data))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		inflated, err := io.ReadAll(io.LimitReader(z, f.left+1))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if err := f.take(int64(len(inflated))); err != nil {
			return nil, err
		}
		if e, _, err = f.element(inflated); err != nil {
			return nil, err
		}
	}
	if e.kind != typeMatrix {
		return nil, nil
	}
	return f.array(e.data, 0)
}

// take counts bytes that are about to be used.
func (f *file) take(n int64) error {
	f.left -= n
	if f.left < 0 {
		return limits.Check("its data in bytes", "MAT-file", limits.MatBytes-f.left, limits.MatBytes, "store fewer arrays in it")
	}
	return nil
}
