// Package safetensors reads and writes the safetensors format: eight bytes of
// header length, a JSON header that says where each tensor lies, then the
// tensors' bytes. A file may come from anywhere: every field of the header is
// checked before anything is allocated by it, and a tensor is read only when it
// is asked for.
package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

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
		return nil, fmt.Errorf("%w: the header claims %d bytes, only %d follow: the file is cut off", ErrFormat, length, size-8)
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

// parse reads the header by tokens, so that neither depth nor a repeated key
// goes unnoticed.
func (f *File) parse(header []byte, base, size int64) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: header: %w", ErrFormat, fmt.Errorf(format, args...))
	}
	if len(header) == 0 || header[0] != '{' {
		return bad("it does not start with '{'")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	_, err := d.Token() // the '{'
	for err == nil && d.More() {
		var name string
		if name, err = text(d); err != nil {
			break
		}
		if name == "__metadata__" {
			if f.Metadata != nil {
				return bad("__metadata__ comes twice")
			}
			f.Metadata, err = metadata(d)
			continue
		}
		if _, twice := f.index[name]; twice {
			return bad("tensor %.200q comes twice", name)
		}
		if len(f.tensors) >= limits.Tensors {
			return bad("more than %d tensors: %w", limits.Tensors, limits.ErrTooLarge)
		}
		var info Info
		if info, err = tensor(d); err != nil {
			err = fmt.Errorf("tensor %.200q: %w", name, err)
			break
		}
		info.Name = name
		f.index[name] = -1
		f.tensors = append(f.tensors, info)
	}
	if err == nil {
		_, err = d.Token() // the '}'
	}
	if err != nil {
		return bad("%w", err)
	}
	if rest := bytes.TrimRight(header[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return bad("%d bytes follow its end", len(rest))
	}
	return f.place(base, size)
}

// place checks that the tensors lie one after the other and fill the file.
func (f *File) place(base, size int64) error {
	slices.SortFunc(f.tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Length, b.Length))
	})
	end := int64(0)
	for i, t := range f.tensors {
		switch {
		case t.Offset < end:
			return fmt.Errorf("%w: tensor %.200q starts at byte %d, inside the one before it, which ends at %d", ErrFormat, t.Name, t.Offset, end)
		case t.Offset > end:
			return fmt.Errorf("%w: %d bytes before tensor %.200q belong to no tensor", ErrFormat, t.Offset-end, t.Name)
		case t.Length > size-base-end:
			return fmt.Errorf("%w: tensor %.200q needs %d bytes, %d are left: the file is cut off", ErrFormat, t.Name, t.Length, size-base-end)
		}
		end += t.Length
		f.tensors[i].Offset += base
	}
	if end != size-base {
		return fmt.Errorf("%w: %d bytes after the last tensor", ErrFormat, size-base-end)
	}
	slices.SortFunc(f.tensors, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	for i, t := range f.tensors {
		f.index[t.Name] = i
	}
	return nil
}

func text(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("a text is needed, found %v", t)
	}
	return s, nil
}

func delim(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%v is needed, found %v", want, t)
	}
	return err
}

func metadata(d *json.Decoder) (map[string]string, error) {
	out := map[string]string{}
	if err := delim(d, '{'); err != nil {
		return nil, err
	}
	for d.More() {
		key, err := text(d)
		if err != nil {
			return nil, err
		}
		value, err := text(d)
		if err != nil {
			return nil, fmt.Errorf("__metadata__: %.200q: %w", key, err)
		}
		out[key] = value
	}
	return out, delim(d, '}')
}

func tensor(d *json.Decoder) (Info, error) {
	var info Info
	var shape, offsets []int64
	seen := map[string]bool{}
	if err := delim(d, '{'); err != nil {
		return info, err
	}
	for d.More() {
		key, err := text(d)
		if err != nil {
			return info, err
		}
		if seen[key] {
			return info, fmt.Errorf("%.200q comes twice", key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			var s string
			s, err = text(d)
			info.DType = DType(s)
		case "shape":
			shape, err = numbers(d, maxAxes)
		case "data_offsets":
			offsets, err = numbers(d, 2)
		default:
			err = errors.New("unknown key")
		}
		if err != nil {
			return info, fmt.Errorf("%.200q: %w", key, err)
		}
	}
	if err := delim(d, '}'); err != nil {
		return info, err
	}
	if len(seen) != 3 || len(offsets) != 2 {
		return info, errors.New("it needs dtype, shape and two data_offsets")
	}
	unit := info.DType.Bytes()
	if unit == 0 {
		return info, fmt.Errorf("dtype %.200q is not supported", string(info.DType))
	}
	info.Offset, info.Length = offsets[0], offsets[1]-offsets[0]
	if info.Length < 0 {
		return info, fmt.Errorf("data_offsets [%d, %d] end before they start", offsets[0], offsets[1])
	}
	elements := int64(1)
	for _, n := range shape {
		if n > limits.TensorElements || n > 0 && elements > limits.TensorElements/n {
			return info, fmt.Errorf("shape %v has more than %d elements: %w", shape, limits.TensorElements, limits.ErrTooLarge)
		}
		elements *= n
		info.Shape = append(info.Shape, int(n))
	}
	if elements*unit != info.Length {
		return info, fmt.Errorf("shape %v of %s needs %d bytes, data_offsets give %d", shape, info.DType, elements*unit, info.Length)
	}
	return info, nil
}

// numbers reads a list of at most most numbers, none negative.
func numbers(d *json.Decoder, most int) ([]int64, error) {
	if err := delim(d, '['); err != nil {
		return nil, err
	}
	out := []int64{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("a number is needed, found %v", t)
		}
		v, err := strconv.ParseUint(n.String(), 10, 64)
		if err != nil || v > math.MaxInt64/16 {
			return nil, fmt.Errorf("%.40s is not a number that can be", n.String())
		}
		if len(out) == most {
			return nil, fmt.Errorf("more than %d numbers", most)
		}
		out = append(out, int64(v))
	}
	return out, delim(d, ']')
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
