package safetensors

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// Tensor is a tensor to write: one of Floats (for F32, F16, BF16), Ints (I64)
// and Bytes (U8), row-major.
type Tensor struct {
	Name   string
	DType  DType
	Shape  []int
	Floats []float32
	Ints   []int64
	Bytes  []byte
}

func (t Tensor) elements() (int, error) {
	switch t.DType {
	case F32, F16, BF16:
		return len(t.Floats), nil
	case I64:
		return len(t.Ints), nil
	case U8:
		return len(t.Bytes), nil
	}
	return 0, fmt.Errorf("tensor %q: cannot write elements of %q", t.Name, t.DType)
}

// Write writes a file. The same tensors and metadata give the same bytes, in
// whatever order the tensors come: wide types first, then by name, as the
// format's own library orders them.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(-cmp.Compare(a.DType.Bytes(), b.DType.Bytes()), cmp.Compare(a.Name, b.Name))
	})
	header, err := header(tensors, metadata)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<18)
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(header)))
	out.Write(length[:])
	out.Write(header)
	for _, t := range tensors {
		if err := t.write(out); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return out.Flush()
}

func header(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	type entry struct {
		DType   DType    `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	var b bytes.Buffer
	b.WriteByte('{')
	put := func(name string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		v, err := json.Marshal(value)
		b.Write(key)
		b.WriteByte(':')
		b.Write(v)
		return err
	}
	if len(metadata) > 0 {
		if err := put("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	at := int64(0)
	for i, t := range tensors {
		n, err := t.elements()
		if err != nil {
			return nil, err
		}
		want := 1
		for _, d := range t.Shape {
			want *= d
		}
		if want != n {
			return nil, fmt.Errorf("tensor %q: shape %v has %d elements, there are %d", t.Name, t.Shape, want, n)
		}
		if i > 0 && tensors[i-1].Name == t.Name {
			return nil, fmt.Errorf("tensor %q comes twice", t.Name)
		}
		end := at + int64(n)*t.DType.Bytes()
		if err := put(t.Name, entry{t.DType, append([]int{}, t.Shape...), [2]int64{at, end}}); err != nil {
			return nil, err
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}

func (t Tensor) write(w *bufio.Writer) error {
	var piece [8]byte
	unit := int(t.DType.Bytes())
	for _, x := range t.Floats {
		switch t.DType {
		case F32:
			binary.LittleEndian.PutUint32(piece[:], math.Float32bits(x))
		case F16:
			binary.LittleEndian.PutUint16(piece[:], ToF16(x))
		case BF16:
			binary.LittleEndian.PutUint16(piece[:], ToBF16(x))
		}
		if _, err := w.Write(piece[:unit]); err != nil {
			return err
		}
	}
	for _, x := range t.Ints {
		binary.LittleEndian.PutUint64(piece[:], uint64(x))
		if _, err := w.Write(piece[:]); err != nil {
			return err
		}
	}
	_, err := w.Write(t.Bytes)
	return err
}
