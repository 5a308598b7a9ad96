package kernels

// BinaryShaped computes dst = a op b, where a and b have as many axes as dst and an axis of one
// element stands for all of dst's (which is then the other operand's). The usual patterns (a bias,
// a mean per row, a scale per channel in the middle) become Binary's.
func BinaryShaped(p *Pool, op BinaryOp, dst, a []float32, shapeA []int, b []float32, shapeB []int) {
	if len(shapeA) != len(shapeB) {
		panic("kernels.BinaryShaped: the operands differ in rank")
	}
	sizes, strideA, strideB := joint(shapeA, shapeB)
	n := 1
	for _, s := range sizes {
		n *= s
	}
	need("BinaryShaped", "dst", len(dst), n)
	need("BinaryShaped", "a", len(a), product1(shapeA))
	need("BinaryShaped", "b", len(b), product1(shapeB))
	if n == 0 {
		return
	}
	last := len(sizes) - 1
	rows, cols := sizes[last-1], sizes[last]
	kind := func(stride []int) Broadcast {
		switch {
		case stride[last] != 0 && stride[last-1] != 0:
			return Full
		case stride[last] != 0:
			return Row
		case stride[last-1] != 0:
			return Column
		}
		return Scalar
	}
	x, y := Operand{Kind: kind(strideA)}, Operand{Kind: kind(strideB)}
	outer := n / (rows * cols)
	if outer == 1 {
		x.Data, y.Data = a, b
		Binary(p, op, dst, x, y, rows, cols)
		return
	}
	p.For(outer, max(1, 8192/(rows*cols)), func(lo, hi int) {
		x, y := x, y
		for i := lo; i < hi; i++ {
			x.Data, y.Data = a[offset(i, sizes[:last-1], strideA):], b[offset(i, sizes[:last-1], strideB):]
			Binary(nil, op, dst[i*rows*cols:][:rows*cols], x, y, rows, cols)
		}
	})
}

func product1(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// joint gives the sizes of the result, at least two, and the distances in both operands along each
// axis (0 where one element stands for all), with axes joined that both operands walk alike.
func joint(shapeA, shapeB []int) (sizes, strideA, strideB []int) {
	atA, atB := 1, 1
	for i := len(shapeA) - 1; i >= 0; i-- {
		n, m := shapeA[i], shapeB[i]
		if n != m && n != 1 && m != 1 {
			panic("kernels.BinaryShaped: axes differ and neither is 1")
		}
		size, a, b := n, atA, atB
		atA, atB = atA*n, atB*m
		if n == 1 {
			size, a = m, 0
		}
		if m == 1 {
			b = 0
		}
		if size == 1 {
			continue
		}
		if l := len(sizes) - 1; l >= 0 && a == strideA[l]*sizes[l] && b == strideB[l]*sizes[l] && (a == 0) == (strideA[l] == 0) && (b == 0) == (strideB[l] == 0) {
			sizes[l] *= size
			continue
		}
		sizes, strideA, strideB = append(sizes, size), append(strideA, a), append(strideB, b)
	}
	for len(sizes) < 2 {
		sizes, strideA, strideB = append(sizes, 1), append(strideA, 0), append(strideB, 0)
	}
	for _, s := range [][]int{sizes, strideA, strideB} { // innermost axis last
		for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
			s[i], s[j] = s[j], s[i]
		}
	}
	return sizes, strideA, strideB
}
