package vector

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// CompareOp is a comparison of two elements; with NaN all but NotEqual are false.
type CompareOp uint8

// The comparisons.
const (
	Equal CompareOp = iota
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
)

func (op CompareOp) of(a, b float32) bool {
	switch op {
	case Equal:
		return a == b
	case NotEqual:
		return a != b
	case Less:
		return a < b
	case LessEqual:
		return a <= b
	case Greater:
		return a > b
	}
	return a >= b
}

// Compare computes dst[i] = a[i] op b[i] for every element of dst. a and b are Full or Scalar.
func Compare(p *work.Pool, op CompareOp, dst []bool, a, b Operand) {
	n := len(dst)
	checkChoice("Compare", a, n)
	checkChoice("Compare", b, n)
	switch op { // the others with the operands exchanged
	case Greater:
		op, a, b = Less, b, a
	case GreaterEqual:
		op, a, b = LessEqual, b, a
	}
	p.For(n, 8192, func(lo, hi int) {
		x, s := a.at(0, n)
		y, t := b.at(0, n)
		compare(op, dst[lo:hi], part(x, lo, hi), part(y, lo, hi), s, t)
	})
}

// checkChoice wants a slice of n elements or one.
func checkChoice(function string, o Operand, n int) {
	switch {
	case n == 0:
	case o.Kind == Full:
		work.CheckLen(function, "an operand", len(o.Data), n)
	case o.Kind == Scalar:
		work.CheckLen(function, "an operand", len(o.Data), 1)
	default:
		panic("kernels." + function + ": operands are Full or Scalar")
	}
}

// compare handles a stretch; a nil slice stands for the single value beside it.
func compare(op CompareOp, dst []bool, x, y []float32, s, t float32) {
	n := len(dst)
	done := n &^ 7
	switch blocks := n / 8; {
	case blocks == 0 || level.Current() == level.Off || x == nil && y == nil:
		done = 0
	case x == nil:
		compareScalar(op, true, &dst[0], &y[:n][0], s, blocks)
	case y == nil:
		compareScalar(op, false, &dst[0], &x[:n][0], t, blocks)
	default:
		d, a, b := &dst[0], &x[:n][0], &y[:n][0]
		switch op {
		case Equal:
			vecEqual(d, a, b, blocks)
		case NotEqual:
			vecNotEqual(d, a, b, blocks)
		case Less:
			vecLess(d, a, b, blocks)
		default:
			vecLessEqual(d, a, b, blocks)
		}
	}
	for i := done; i < n; i++ {
		if x != nil {
			s = x[i]
		}
		if y != nil {
			t = y[i]
		}
		dst[i] = op.of(s, t)
	}
}

// compareScalar compares x with s, or s with x if first.
func compareScalar(op CompareOp, first bool, dst *bool, x *float32, s float32, blocks int) {
	switch {
	case op == Equal:
		vecEqualScalar(dst, x, s, blocks)
	case op == NotEqual:
		vecNotEqualScalar(dst, x, s, blocks)
	case op == Less && first:
		vecLessByScalar(dst, x, s, blocks)
	case op == Less:
		vecLessScalar(dst, x, s, blocks)
	case first:
		vecLessEqualByScalar(dst, x, s, blocks)
	default:
		vecLessEqualScalar(dst, x, s, blocks)
	}
}

// Select computes dst[i] = a[i] where cond[i], else b[i], for every element of cond. a and b are
// Full or Scalar.
func Select(p *work.Pool, dst []float32, cond []bool, a, b Operand) {
	n := len(cond)
	work.CheckLen("Select", "dst", len(dst), n)
	checkChoice("Select", a, n)
	checkChoice("Select", b, n)
	p.For(n, 8192, func(lo, hi int) {
		x, s := a.at(0, n)
		y, t := b.at(0, n)
		choose(dst[lo:hi], cond[lo:hi], part(x, lo, hi), part(y, lo, hi), s, t)
	})
}

func choose(dst []float32, cond []bool, x, y []float32, s, t float32) {
	n := len(cond)
	done := 0
	if blocks := n / 8; blocks > 0 && level.Current() != level.Off {
		done = n &^ 7
		var one, other [8]float32
		stepX, stepY := 32, 32
		p, q := &one[0], &other[0]
		if x != nil {
			p = &x[:n][0]
		} else {
			stepX = 0
		}
		if y != nil {
			q = &y[:n][0]
		} else {
			stepY = 0
		}
		for i := range one {
			one[i], other[i] = s, t
		}
		vecSelect(&dst[:n][0], &cond[0], p, q, stepX, stepY, blocks)
	}
	for i := done; i < n; i++ {
		if x != nil {
			s = x[i]
		}
		if y != nil {
			t = y[i]
		}
		v := t
		if cond[i] {
			v = s
		}
		dst[i] = v
	}
}
