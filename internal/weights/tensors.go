package weights

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/groupvit/groupvit/internal/weights/safetensors"
)

// Tensor is a named array of a training checkpoint. Exactly one of the slices
// has its values.
type Tensor struct {
	Shape  []int
	Floats []float32
	Ints   []int64
	Bytes  []byte
	// Type is the type it is stored as; "" is F32, I64 or U8 by the slice that
	// is set. Floats may be stored as F16 and BF16 too.
	Type safetensors.DType
}

// WriteTensors writes a safetensors file, under another name first.
func WriteTensors(path string, tensors map[string]Tensor) error {
	var list []safetensors.Tensor
	for name, t := range tensors {
		s := safetensors.Tensor{Name: name, DType: t.Type, Shape: t.Shape, Floats: t.Floats, Ints: t.Ints, Bytes: t.Bytes}
		switch {
		case s.DType != "":
		case t.Ints != nil:
			s.DType = safetensors.I64
		case t.Bytes != nil:
			s.DType = safetensors.U8
		default:
			s.DType = safetensors.F32
		}
		list = append(list, s)
	}
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	os.Remove(temporary) // left behind by a run that was killed
	err := writeFile(temporary, func(w io.Writer) error { return safetensors.Write(w, list, nil) })
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("write tensors: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// ReadTensors reads a whole safetensors file. Errors wrap [ErrWeights].
func ReadTensors(path string) (map[string]Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read tensors: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read tensors: %w", err)
	}
	file, err := safetensors.Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrWeights, path, err)
	}
	out := map[string]Tensor{}
	for _, t := range file.Tensors() {
		r := Tensor{Shape: t.Shape, Type: t.DType}
		switch {
		case t.DType.IsFloat():
			r.Floats, err = file.Floats(t.Name)
		case t.DType == safetensors.U8:
			r.Bytes, err = file.Bytes(t.Name)
		default:
			r.Ints, err = file.Ints(t.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrWeights, path, err)
		}
		out[t.Name] = r
	}
	return out, nil
}
