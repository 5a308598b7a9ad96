package mat5

import (
	"fmt"
	"math"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// array reads the inside of a matrix element. An empty one is an empty array.
func (f *file) array(b []byte, depth int) (*Array, error) {
	a := &Array{}
	if len(b) == 0 {
		return a, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: arrays nested deeper than %d", ErrFormat, maxDepth)
	}
	flags, rest, err := f.element(b)
	if err != nil {
		return nil, err
	}
	if flags.kind != typeUint32 || len(flags.data) < 8 {
		return nil, fmt.Errorf("%w: an array without flags", ErrFormat)
	}
	class := f.order.Uint32(flags.data) & 0xff
	if rest, err = f.dims(a, rest); err != nil {
		return nil, err
	}
	var name element
	if name, rest, err = f.element(rest); err != nil {
		return nil, err
	}
	a.Name = string(name.data)
	switch {
	case class == classStruct:
		return a, f.fields(a, rest, depth)
	case class == classCell:
		a.Cells, _, err = f.children(rest, a.count(), depth)
		return a, err
	case class == classSparse || class == classObject:
		return a, nil // nobody asks for their values
	case class >= classFirst && class <= classLast:
		return a, f.numbers(a, rest)
	}
	return nil, fmt.Errorf("%w: array %.40q of class %d", ErrFormat, a.Name, class)
}

func (f *file) dims(a *Array, b []byte) ([]byte, error) {
	e, rest, err := f.element(b)
	if err != nil {
		return nil, err
	}
	n := len(e.data) / 4
	if e.kind != typeInt32 || n < 2 || n > maxDims {
		return nil, fmt.Errorf("%w: an array of %d dimensions", ErrFormat, n)
	}
	count := int64(1)
	for i := range n {
		d := int64(int32(f.order.Uint32(e.data[4*i:])))
		if d < 0 || d > limits.MatBytes {
			return nil, fmt.Errorf("%w: a dimension of %d", ErrFormat, d)
		}
		if count *= d; count > limits.MatBytes {
			return nil, fmt.Errorf("%w: an array of more than %d elements", ErrFormat, int64(limits.MatBytes))
		}
		a.Dims = append(a.Dims, int(d))
	}
	return rest, nil
}

// count is the number of elements.
func (a *Array) count() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

// fields reads a struct: the length of its names, the names, and for each element
// an array for each name.
func (f *file) fields(a *Array, b []byte, depth int) error {
	length, rest, err := f.element(b)
	if err != nil {
		return err
	}
	if length.kind != typeInt32 || len(length.data) != 4 {
		return fmt.Errorf("%w: struct %.40q without the length of its names", ErrFormat, a.Name)
	}
	size := int(int32(f.order.Uint32(length.data)))
	var packed element
	if packed, rest, err = f.element(rest); err != nil {
		return err
	}
	if size <= 0 || len(packed.data)%size != 0 {
		return fmt.Errorf("%w: struct %.40q with names of %d bytes", ErrFormat, a.Name, size)
	}
	names := len(packed.data) / size
	if int64(names)*int64(a.count()) > maxChildren {
		return fmt.Errorf("%w: struct %.40q has %d fields of %d elements", ErrFormat, a.Name, names, a.count())
	}
	list, _, err := f.children(rest, names*a.count(), depth)
	if err != nil {
		return err
	}
	a.Fields = map[string][]*Array{}
	for i, child := range list {
		name, _, _ := strings.Cut(string(packed.data[i%names*size:][:size]), "\x00")
		a.Fields[name] = append(a.Fields[name], child)
	}
	return nil
}

// children reads so many arrays.
func (f *file) children(b []byte, n, depth int) ([]*Array, []byte, error) {
	if n > maxChildren {
		return nil, nil, fmt.Errorf("%w: %d arrays in an array", ErrFormat, n)
	}
	var list []*Array
	for range n {
		e, rest, err := f.element(b)
		if err != nil {
			return nil, nil, err
		}
		if e.kind != typeMatrix {
			return nil, nil, fmt.Errorf("%w: type %d in the place of an array", ErrFormat, e.kind)
		}
		child, err := f.array(e.data, depth+1)
		if err != nil {
			return nil, nil, err
		}
		list, b = append(list, child), rest
	}
	return list, b, nil
}

// sizes are the bytes of a number, by type.
var sizes = map[uint32]int{
	typeInt8: 1, typeUint8: 1, typeInt16: 2, typeUint16: 2, typeInt32: 4, typeUint32: 4, typeSingle: 4, typeDouble: 8, typeInt64: 8, typeUint64: 8,
	typeUTF8: 1, typeUTF16: 2,
}

// numbers reads the values of an array, which may be stored in a smaller type than
// its class says.
func (f *file) numbers(a *Array, b []byte) error {
	e, _, err := f.element(b)
	if err != nil {
		return err
	}
	size := sizes[e.kind]
	n := a.count()
	if size == 0 || len(e.data) != n*size {
		return fmt.Errorf("%w: array %.40q: %d bytes of type %d for %d values", ErrFormat, a.Name, len(e.data), e.kind, n)
	}
	if err := f.take(8 * int64(n)); err != nil {
		return err
	}
	a.Numbers = make([]float64, n)
	for i := range a.Numbers {
		v := e.data[i*size:]
		switch e.kind {
		case typeInt8:
			a.Numbers[i] = float64(int8(v[0]))
		case typeUint8, typeUTF8:
			a.Numbers[i] = float64(v[0])
		case typeInt16:
			a.Numbers[i] = float64(int16(f.order.Uint16(v)))
		case typeUint16, typeUTF16:
			a.Numbers[i] = float64(f.order.Uint16(v))
		case typeInt32:
			a.Numbers[i] = float64(int32(f.order.Uint32(v)))
		case typeUint32:
			a.Numbers[i] = float64(f.order.Uint32(v))
		case typeSingle:
			a.Numbers[i] = float64(math.Float32frombits(f.order.Uint32(v)))
		case typeDouble:
			a.Numbers[i] = math.Float64frombits(f.order.Uint64(v))
		case typeInt64:
			a.Numbers[i] = float64(int64(f.order.Uint64(v)))
		case typeUint64:
			a.Numbers[i] = float64(f.order.Uint64(v))
		}
	}
	return nil
}
