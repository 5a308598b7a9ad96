// Package torchfile reads the tensors of a file that torch.save has written
// (torch 1.6 and newer: a zip file with a pickle program and one entry for each
// storage). The program is followed by a machine that runs nothing: see
// [Read].
package torchfile

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/weights/safetensors"
)

// ErrFormat is wrapped by every error about a file that is not a usable torch
// file.
var ErrFormat = errors.New("not a valid torch file")

// File is an open file.
type File struct {
	names   []string
	tensors map[string]*tensor
	data    map[string]*zip.File // by storage key
	content io.ReaderAt
}

// Read lists the tensors of a file of size bytes: those of the dictionary under
// "model" or "state_dict" where there is one, else of the dictionary that the
// file is. No tensor is read yet.
//
// The file may come from anywhere. Names in its pickle program are compared with
// a list and never imported; a program that names anything else is refused with
// an error that says what. Errors wrap [ErrFormat].
func Read(r io.ReaderAt, size int64) (*File, error) {
	if err := limits.Check("the size in bytes", "torch file", size, limits.WeightsBytes, "use a smaller model"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	z, err := zip.NewReader(r, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("%w: %w: the archive's end is missing: the file is cut off: fetch it again", ErrFormat, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	f := &File{tensors: map[string]*tensor{}, data: map[string]*zip.File{}, content: r}
	program, err := f.open(z)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	root, err := run(program)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := f.collect(root); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return f, nil
}

// open finds the storages and reads the pickle program.
func (f *File) open(z *zip.Reader) ([]byte, error) {
	root, found := "", (*zip.File)(nil)
	for _, e := range z.File {
		if path.Base(e.Name) == "data.pkl" && strings.Count(e.Name, "/") <= 1 {
			if found != nil {
				return nil, errors.New("two entries data.pkl")
			}
			root, found = strings.TrimSuffix(e.Name, "data.pkl"), e
		}
	}
	if found == nil {
		return nil, errors.New("a zip file without data.pkl: torch.save did not write it")
	}
	for _, e := range z.File {
		switch {
		case e.Name == root+"byteorder":
			b, err := readEntry(e, 64)
			if err != nil {
				return nil, err
			}
			if strings.TrimSpace(string(b)) != "little" {
				return nil, errors.New("it was written on a big-endian machine: save it again on a little-endian one")
			}
		case strings.HasPrefix(e.Name, root+"data/"):
			key := strings.TrimPrefix(e.Name, root+"data/")
			if _, twice := f.data[key]; twice {
				return nil, fmt.Errorf("storage %q comes twice", key)
			}
			f.data[key] = e
		}
	}
	return readEntry(found, limits.PickleBytes)
}

func readEntry(e *zip.File, limit int64) ([]byte, error) {
	if e.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d: %w", e.Name, e.UncompressedSize64, limit, limits.ErrTooLarge)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: %w (%d bytes)", e.Name, limits.ErrTooLarge, limit)
	}
	return b, nil
}

// collect takes the tensors of the dictionary of weights. It looks no deeper
// than that, so that no nesting can make it long.
func (f *File) collect(root any) error {
	d, ok := root.(*dict)
	if !ok {
		return errors.New("it holds no dictionary of tensors")
	}
	for _, key := range []string{"model", "state_dict"} {
		if inner, ok := d.at[key].(*dict); ok {
			d = inner
			break
		}
	}
	for _, name := range d.keys {
		t, ok := d.at[name].(*tensor)
		if !ok {
			continue
		}
		if len(f.names) == limits.Tensors {
			return fmt.Errorf("more than %d tensors: %w", limits.Tensors, limits.ErrTooLarge)
		}
		e, ok := f.data[t.storage.key]
		if !ok {
			return fmt.Errorf("tensor %.200q: there is no storage %.40q: the file is damaged", name, t.storage.key)
		}
		if e.Method != zip.Store || int64(e.UncompressedSize64) < 0 || e.UncompressedSize64 != e.CompressedSize64 {
			return fmt.Errorf("tensor %.200q: its storage is compressed, which torch.save never does", name)
		}
		if t.storage.elements > int64(e.UncompressedSize64)/t.storage.kind.bytes {
			return fmt.Errorf("tensor %.200q: its storage claims %d elements of %s and has %d bytes", name,
				t.storage.elements, t.storage.kind.name, e.UncompressedSize64)
		}
		f.names = append(f.names, name)
		f.tensors[name] = t
	}
	slices.Sort(f.names)
	return nil
}

// Names lists the tensors in order.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Shape returns a tensor's shape, nil for an unknown name.
func (f *File) Shape(name string) []int {
	t, ok := f.tensors[name]
	if !ok {
		return nil
	}
	shape := make([]int, len(t.shape))
	for i, n := range t.shape {
		shape[i] = int(n)
	}
	return shape
}

// Floats reads a tensor of floating point numbers as float32, row-major.
func (f *File) Floats(name string) ([]float32, error) {
	t, ok := f.tensors[name]
	if !ok {
		return nil, fmt.Errorf("no tensor %q", name)
	}
	whole, err := f.storage(t)
	if err != nil {
		return nil, fmt.Errorf("%w: tensor %q: %w", ErrFormat, name, err)
	}
	return t.gather(whole), nil
}

// storage reads the part of the storage that the tensor spans, as float32.
func (f *File) storage(t *tensor) ([]float32, error) {
	elements, span := int64(1), int64(1)
	for i, n := range t.shape {
		elements *= n
		span += (n - 1) * t.strides[i]
	}
	if elements == 0 {
		return nil, nil
	}
	e := f.data[t.storage.key]
	start, err := e.DataOffset()
	if err != nil {
		return nil, err
	}
	unit := t.storage.kind.bytes
	if start < 0 || start > math.MaxInt64-int64(e.UncompressedSize64) {
		return nil, errors.New("its storage lies outside the file")
	}
	r := io.NewSectionReader(f.content, start+t.offset*unit, span*unit)
	out := make([]float32, 0, min(span, 1<<16)) // grows with what is really there
	piece := make([]byte, min(span*unit, 1<<18))
	for done := int64(0); done < span; {
		n := min(int64(len(piece))/unit, span-done)
		if _, err := io.ReadFull(r, piece[:n*unit]); err != nil {
			return nil, fmt.Errorf("the file is cut off: %w", err)
		}
		out = slices.Grow(out, int(n))[:done+n]
		if err := decode(t.storage.kind, piece[:n*unit], out[done:]); err != nil {
			return nil, err
		}
		done += n
	}
	return out, nil
}

func decode(k kind, b []byte, out []float32) error {
	d := safetensors.DType(k.name)
	if d.IsFloat() {
		return safetensors.DecodeFloats(d, b, out)
	}
	if d == safetensors.I64 {
		for i := range out {
			out[i] = float32(int64(binary.LittleEndian.Uint64(b[8*i:])))
		}
		return nil
	}
	return fmt.Errorf("elements are %s, floating point numbers are needed", k.name)
}

// gather brings a tensor with any strides into row-major order.
func (t *tensor) gather(span []float32) []float32 {
	contiguous, step := true, int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		contiguous = contiguous && (t.shape[i] == 1 || t.strides[i] == step)
		step *= t.shape[i]
	}
	if contiguous || step == 0 {
		return span
	}
	out := make([]float32, 0, step)
	index := make([]int64, len(t.shape))
	for range step {
		at := int64(0)
		for i, n := range index {
			at += n * t.strides[i]
		}
		out = append(out, span[at])
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < t.shape[i] {
				break
			}
			index[i] = 0
		}
	}
	return out
}
