package simd

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// The operations on integers that stand between those on float32: positions, comparisons, choices of the largest.

func init() {
	lowerings[compute.OpTypeIota] = lowerIota
	lowerings[compute.OpTypeConvertDType] = lowerConvert
	lowerings[compute.OpTypeArgMinMax] = lowerArg
	for op := range comparisons {
		lowerings[op] = lowerCompare
	}
}

// lowerIota counts along one axis, which the others repeat.
func lowerIota(c *compiler, n *node) (bool, error) {
	out, axis := n.values[0], int(n.attr.(iotaAttr))
	count := out.dims()[axis]
	s := c.slot(out.dtype(), count)
	switch out.dtype() {
	case dtypes.Float32:
		c.makeConstant(s, counted[float32](count))
	case dtypes.Int32:
		c.makeConstant(s, counted[int32](count))
	case dtypes.Int64:
		c.makeConstant(s, counted[int64](count))
	default:
		return false, nil
	}
	c.views[out] = whole(s, []int{count}).broadcast(out.dims(), []int{axis})
	return true, nil
}

func counted[T float32 | int32 | int64](n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(i)
	}
	return x
}

// lowerConvert takes the conversions between float32, int32 and bool that programs do not.
func lowerConvert(c *compiler, n *node) (bool, error) {
	in, out := n.inputs[0], n.values[0]
	var f func(dst, src any, n int)
	switch [2]dtypes.DType{in.dtype(), out.dtype()} {
	case [2]dtypes.DType{dtypes.Int32, dtypes.Float32}:
		f = convert[int32, float32]
	case [2]dtypes.DType{dtypes.Int64, dtypes.Float32}:
		f = convert[int64, float32]
	case [2]dtypes.DType{dtypes.Int64, dtypes.Int32}:
		f = convert[int64, int32]
	case [2]dtypes.DType{dtypes.Int32, dtypes.Int64}:
		f = convert[int32, int64]
	case [2]dtypes.DType{dtypes.Uint32, dtypes.Float32}:
		f = convert[uint32, float32]
	default:
		return false, nil
	}
	from, err := c.dense(in)
	if err != nil {
		return false, err
	}
	to, size := c.define(out), out.size()
	return true, c.emit(step{name: "convert", reads: []*slot{from.slot}, writes: []*slot{to.slot}, run: func(fr *frame) error {
		f(fr.flat[to.slot.id], tail(fr.flat[from.slot.id], from.offset), size)
		return nil
	}})
}

// tail is a slice of any of the types below from an element on.
func tail(x any, from int) any {
	if from == 0 {
		return x
	}
	switch x := x.(type) {
	case []int32:
		return x[from:]
	case []int64:
		return x[from:]
	case []uint32:
		return x[from:]
	}
	return x
}

func convert[A int32 | int64 | uint32, B float32 | int32 | int64](dst, src any, n int) {
	if n == 0 {
		return
	}
	d, s := dst.([]B)[:n], src.([]A)[:n]
	for i, v := range s {
		d[i] = B(v)
	}
}

// lowerCompare compares integers; float32 is for programs.
func lowerCompare(c *compiler, n *node) (bool, error) {
	op := n.op
	var run func(f *frame, to view, x, y view)
	switch n.inputs[0].dtype() {
	case dtypes.Int32:
		run = func(f *frame, to, x, y view) { compareIntegers[int32](f, op, to, x, y) }
	case dtypes.Int64:
		run = func(f *frame, to, x, y view) { compareIntegers[int64](f, op, to, x, y) }
	default:
		return false, nil
	}
	x, err := c.view(n.inputs[0])
	if err != nil {
		return false, err
	}
	y, err := c.view(n.inputs[1])
	if err != nil {
		return false, err
	}
	to := c.define(n.values[0])
	x, y = expand(x, to.dims), expand(y, to.dims)
	return true, c.emit(step{name: "compare", reads: []*slot{x.slot, y.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		if to.size() > 0 {
			run(f, to, x, y)
		}
		return nil
	}})
}

func compareIntegers[T int32 | int64](f *frame, op compute.OpType, to, x, y view) {
	dst, a, b := f.bools[to.slot.id], f.flat[x.slot.id].([]T)[x.offset:], f.flat[y.slot.id].([]T)[y.offset:]
	last := len(to.dims) - 1
	if last < 0 {
		dst[0] = holds(op, a[0], b[0])
		return
	}
	cols := to.dims[last]
	at := make([]int, last)
	for r := 0; r < len(dst); r += cols {
		i, j := 0, 0
		for q, p := range at {
			i, j = i+p*x.strides[q], j+p*y.strides[q]
		}
		for k := range cols {
			dst[r+k] = holds(op, a[i+k*x.strides[last]], b[j+k*y.strides[last]])
		}
		for q := last - 1; q >= 0; q-- {
			if at[q]++; at[q] < to.dims[q] {
				break
			}
			at[q] = 0
		}
	}
}

func holds[T int32 | int64](op compute.OpType, a, b T) bool {
	switch op {
	case compute.OpTypeEqual:
		return a == b
	case compute.OpTypeNotEqual:
		return a != b
	case compute.OpTypeLessThan:
		return a < b
	case compute.OpTypeLessOrEqual:
		return a <= b
	case compute.OpTypeGreaterThan:
		return a > b
	}
	return a >= b
}

// lowerArg finds the first smallest or largest element along an axis; NaN wins, the last one, as in the plain Go backend.
func lowerArg(c *compiler, n *node) (bool, error) {
	in, out, a := n.inputs[0], n.values[0], n.attr.(argAttr)
	if out.dtype() != dtypes.Int32 || in.size() == 0 {
		return false, nil
	}
	var find func(x any, dst []int32, outer, middle, inner int, min bool)
	switch in.dtype() {
	case dtypes.Float32:
		find = argFloats
	case dtypes.Int32:
		find = argIntegers
	default:
		return false, nil
	}
	from, err := c.dense(in)
	if err != nil {
		return false, err
	}
	d := in.dims()
	outer, middle, inner := product(d[:a.axis]), d[a.axis], product(d[a.axis+1:])
	to := c.define(out)
	return true, c.emit(step{name: "argmax", reads: []*slot{from.slot}, writes: []*slot{to.slot}, run: func(f *frame) error {
		x := f.flat[from.slot.id]
		if fl, ok := x.([]float32); ok {
			x = fl[from.offset:]
		} else {
			x = tail(x, from.offset)
		}
		find(x, f.flat[to.slot.id].([]int32), outer, middle, inner, a.min)
		return nil
	}})
}

func argFloats(flat any, dst []int32, outer, middle, inner int, min bool) {
	x := flat.([]float32)
	for o := range outer {
		for i := range inner {
			at, best := 0, x[o*middle*inner+i]
			for k := 1; k < middle; k++ {
				v := x[(o*middle+k)*inner+i]
				if v != v || min && v < best || !min && v > best {
					at, best = k, v
				}
			}
			dst[o*inner+i] = int32(at)
		}
	}
}

func argIntegers(flat any, dst []int32, outer, middle, inner int, min bool) {
	x := flat.([]int32)
	for o := range outer {
		for i := range inner {
			at, best := 0, int32(math.MinInt32)
			for k := range middle {
				v := x[(o*middle+k)*inner+i]
				if k == 0 || min && v < best || !min && v > best {
					at, best = k, v
				}
			}
			dst[o*inner+i] = int32(at)
		}
	}
}
