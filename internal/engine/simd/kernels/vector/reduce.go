package vector

import (
	"math"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// ReduceOp is how a reduction joins elements.
type ReduceOp uint8

// The reductions. The empty sum is 0, the empty maximum -Inf, the empty minimum +Inf; NaN wins.
const (
	Sum ReduceOp = iota
	Maximum
	Minimum
)

func (op ReduceOp) empty() float32 {
	switch op {
	case Maximum:
		return float32(math.Inf(-1))
	case Minimum:
		return float32(math.Inf(1))
	}
	return 0
}

// ReduceLast reduces each row of x [rows, cols] to dst [rows]. A sum's error is at most
// (cols/32+8)·2⁻²⁴ times the sum of magnitudes.
func ReduceLast(p *work.Pool, op ReduceOp, dst, x []float32, rows, cols int) {
	work.CheckLen("ReduceLast", "dst", len(dst), rows)
	work.CheckLen("ReduceLast", "x", len(x), rows*cols)
	p.For(rows, max(1, 16384/max(1, cols)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dst[r] = reduce(op, x[r*cols:][:cols])
		}
	})
}

// ReduceMiddle reduces the middle axis of x [outer, middle, inner] to dst [outer, inner]; with
// outer = 1 it reduces the leading axes, with inner = 1 it is ReduceLast. Sums run along
// the middle axis in blocks, in an order that depends on the shape only.
func ReduceMiddle(p *work.Pool, op ReduceOp, dst, x []float32, outer, middle, inner int) {
	work.CheckLen("ReduceMiddle", "dst", len(dst), outer*inner)
	work.CheckLen("ReduceMiddle", "x", len(x), outer*middle*inner)
	if outer == 0 || inner == 0 {
		return
	}
	if inner == 1 {
		ReduceLast(p, op, dst, x, outer, middle)
		return
	}
	f := joinedRows(middle, inner)
	if f == 1 {
		reduceMiddle(p, op, dst, x, outer, middle, inner)
		return
	}
	buf := work.Scratch(outer * f * inner)
	defer buf.Release()
	reduceMiddle(p, op, buf.Data, x, outer, middle/f, f*inner)
	reduceMiddle(nil, op, dst, buf.Data, outer, f, inner)
}

// joinedRows is how many short rows a reduction takes as one, whose parts it joins at the end.
func joinedRows(middle, inner int) int {
	f := shortRow / inner
	for f > 1 && middle%f != 0 {
		f--
	}
	if f < 4 || middle < 8*f {
		return 1
	}
	return f
}

// Total reduces all elements of x. It works in fixed blocks, so it is parallel and still always the same.
func Total(p *work.Pool, op ReduceOp, x []float32) float32 {
	const block = 16384
	n := (len(x) + block - 1) / block
	if n <= 1 {
		return reduce(op, x)
	}
	sums := make([]float32, n)
	p.For(n, 2, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			sums[i] = reduce(op, x[i*block:min(len(x), (i+1)*block)])
		}
	})
	return reduce(op, sums)
}

// Dot is the sum of x[i]·y[i], in fixed blocks as Total.
func Dot(p *work.Pool, x, y []float32) float32 {
	work.CheckLen("Dot", "y", len(y), len(x))
	const block = 16384
	n := (len(x) + block - 1) / block
	if n <= 1 {
		return DotRow(x, y)
	}
	sums := make([]float32, n)
	p.For(n, 2, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			e := min(len(x), (i+1)*block)
			sums[i] = DotRow(x[i*block:e], y[i*block:e])
		}
	})
	return reduce(Sum, sums)
}

// PlainReduce adds in eight interleaved chains, so that its error grows as the vector form's does.
func PlainReduce(op ReduceOp, x []float32) float32 {
	acc := [8]float32{}
	for i := range acc {
		acc[i] = op.empty()
	}
	for i, v := range x {
		acc[i%8] = join(op, acc[i%8], v)
	}
	for h := 4; h > 0; h /= 2 {
		for i := range h {
			acc[i] = join(op, acc[i], acc[i+h])
		}
	}
	return acc[0]
}

func join(op ReduceOp, a, b float32) float32 {
	switch op {
	case Sum:
		return a + b
	case Maximum:
		return max(a, b)
	}
	return min(a, b)
}

func reduce(op ReduceOp, x []float32) float32 {
	if len(x) == 0 || level.Current() == level.Off {
		return PlainReduce(op, x)
	}
	switch op {
	case Sum:
		return vecSum(&x[0], len(x))
	case Maximum:
		return vecMaximum(&x[0], len(x))
	}
	return vecMinimum(&x[0], len(x))
}

func DotRow(x, y []float32) float32 {
	if len(x) > 0 && level.Current() != level.Off {
		return vecDot(&x[0], &y[:len(x)][0], len(x))
	}
	var acc [8]float32
	for i, v := range x {
		acc[i%8] += v * y[i]
	}
	return PlainReduce(Sum, acc[:])
}

// middleBlock is how many terms of a middle-axis sum are added in one run.
const middleBlock = 256

func reduceMiddle(p *work.Pool, op ReduceOp, dst, x []float32, outer, middle, inner int) {
	blocks := max(1, (middle+middleBlock-1)/middleBlock)
	into := dst
	if blocks > 1 {
		s := work.Scratch(outer * blocks * inner)
		defer s.Release()
		into = s.Data
	}
	p.For(outer*blocks, max(1, 16384/(min(middle, middleBlock)*inner+1)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			o, from := i/blocks, i%blocks*middleBlock
			acc := into[i*inner:][:inner]
			for j := range acc {
				acc[j] = op.empty()
			}
			for q := from; q < min(middle, from+middleBlock); q++ {
				joinRow(op, acc, x[(o*middle+q)*inner:][:inner])
			}
		}
	})
	if blocks == 1 {
		return
	}
	for o := range outer {
		acc := dst[o*inner:][:inner]
		copy(acc, into[o*blocks*inner:])
		for q := 1; q < blocks; q++ {
			joinRow(op, acc, into[(o*blocks+q)*inner:][:inner])
		}
	}
}

// joinRow computes acc = acc op x.
func joinRow(op ReduceOp, acc, x []float32) {
	BinaryRow([...]BinaryOp{Add, Max, Min}[op], acc, acc, x, 0, 0)
}
