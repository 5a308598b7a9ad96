// Package safetensors reads and writes the safetensors format: eight bytes of
// header length, a JSON header that says where each tensor lies, then the
// tensors' bytes. A file may come from anywhere: every field of the header is
// checked before anything is allocated by it, and a tensor is read only when it
// is asked for.
package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrFormat is wrapped by every error about a file that is not valid
// safetensors.
var ErrFormat = errors.New("not a valid safetensors file")

// maxAxes is the largest number of axes of a tensor.
const maxAxes = 16

// Info describes a tensor of a file.
type Info struct {
	Name  string
	DType DType
	Shape []int
	// Offset is where its bytes start in the file, Length how many they are.
	Offset, Length int64
}

// Elements returns the number of elements.
func (i Info) Elements() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// File is an open file. Its methods may be used by several goroutines.
type File struct {
	// Metadata is the header's free text.
	Metadata map[string]string

	reader  io.ReaderAt
	tensors []Info // by name
	index   map[string]int
}

// Read parses the header of a file of size bytes. Errors wrap [ErrFormat] or
// [limits.ErrTooLarge].
func Read(r io.ReaderAt, size int64) (*File, error) {
	if size < 8 {
		return nil, fmt.Errorf("%w: %d bytes, at least 8 are needed", ErrFormat, size)
	}
	if err := limits.Check("the size in bytes", "safetensors", size, limits.WeightsBytes, "use a smaller model"); err != nil {
		return nil, err
	}
	var prefix [8]byte
	if err := readAt(r, prefix[:], 0); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > limits.SafetensorsHeader {
		return nil, fmt.Errorf("%w: the header claims %d bytes, the limit is %d: %w",
			ErrFormat, length, limits.SafetensorsHeader, limits.ErrTooLarge)
	}
	if int64(length) > size-8 {
		return nil, fmt.Errorf("%w: the header claims %d bytes, only %d follow: the file is cut off: fetch it again", ErrFormat, length, size-8)
	}
	header := make([]byte, length)
	if err := readAt(r, header, 8); err != nil {
		return nil, fmt.Errorf("%w: header: %v", ErrFormat, err)
	}
	f := &File{reader: r, index: map[string]int{}}
	if err := f.parse(header, 8+int64(length), size); err != nil {
		return nil, err
	}
	return f, nil
}

// readAt fills b; unlike ReadAt itself it does not mind an io.EOF that comes
// with the last byte.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Tensors lists the tensors by name.
func (f *File) Tensors() []Info { return slices.Clone(f.tensors) }

// Lookup returns a tensor by name.
func (f *File) Lookup(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	return f.tensors[i], true
}

// Bytes reads a tensor's bytes as they are.
func (f *File) Bytes(name string) ([]byte, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no tensor %q", name)
	}
	b := make([]byte, t.Length)
	if err := readAt(f.reader, b, t.Offset); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", name, err)
	}
	return b, nil
}

// Floats reads a tensor of floating point numbers as float32.
func (f *File) Floats(name string) ([]float32, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no tensor %q", name)
	}
	out := make([]float32, t.Elements())
	unit := t.DType.Bytes()
	piece := make([]byte, min(t.Length, 1<<18))
	for done := int64(0); done < t.Length; {
		b := piece[:min(int64(len(piece)), t.Length-done)]
		if err := readAt(f.reader, b, t.Offset+done); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if err := DecodeFloats(t.DType, b, out[done/unit:(done+int64(len(b)))/unit]); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		done += int64(len(b))
	}
	return out, nil
}

// Ints reads a tensor of whole numbers (I64, I32 or U8).
func (f *File) Ints(name string) ([]int64, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no tensor %q", name)
	}
	b, err := f.Bytes(name)
	if err != nil {
		return nil, err
	}
	out := make([]int64, t.Elements())
	for i := range out {
		switch t.DType {
		case I64:
			out[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		case I32:
			out[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		case U8, Bool:
			out[i] = int64(b[i])
		default:
			return nil, fmt.Errorf("tensor %q: elements are %s, whole numbers are needed", name, t.DType)
		}
	}
	return out, nil
}
