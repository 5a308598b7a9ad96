package tile

import "unsafe"

// Panels packs rows [n, width] transposed: panel by panel, width terms of wide columns each.
func (s Shape) Panels(dst, src []float32, n, width, start, stride int) {
	b := Matrix{Data: src, Stride: stride, Transposed: true}
	for j := 0; j < n; j += s.Wide {
		PackPanel(dst[j*width:], b, start, width, n, j, s.Wide)
	}
}

// RoundUp gives the columns that kernels of the shape write for n wanted ones.
func (s Shape) RoundUp(n int) int {
	half := s.Wide / 2
	return (n + half - 1) / half * half
}

// Walk is one run of a microkernel over rows of pixels.
type Walk struct {
	Shape
	A                          []float32
	B                          []float32 // from the first column on
	C                          []float32
	Bias                       []float32
	M, Inner, Outer            int
	RowA, ColA, OuterA         int // floats
	RowB, OuterB, RowC, PanelB int // floats; panelB from panel to panel
	Columns                    int // of c, a multiple of wide/2
	Flags                      int
	Alpha                      float32 // 0 means 1
}

// Run does all columns.
func (w *Walk) Run() {
	last := (w.M-1)*w.RowA + (w.Inner-1)*w.ColA + (w.Outer-1)*w.OuterA
	_ = w.A[last]
	_ = w.C[(w.M-1)*w.RowC+w.Columns-1]
	for j := 0; j < w.Columns; j += w.Wide {
		width := w.Wide
		if w.Columns-j < w.Wide {
			width /= 2
		}
		b := w.B[j/w.Wide*w.PanelB:]
		_ = b[(w.Inner-1)*w.RowB+(w.Outer-1)*w.OuterB+width-1]
		t := Call{A: unsafe.Pointer(&w.A[0]), B: unsafe.Pointer(&b[0]), C: unsafe.Pointer(&w.C[j]),
			Inner: w.Inner, Outer: w.Outer, RowA: 4 * w.RowA, ColA: 4 * w.ColA, outerA: 4 * w.OuterA,
			RowB: 4 * w.RowB, outerB: 4 * w.OuterB, RowC: 4 * w.RowC, Flags: w.Flags, Alpha: w.Alpha}
		if w.Alpha == 0 {
			t.Alpha = 1
		}
		if w.Bias != nil {
			t.Bias = unsafe.Pointer(&w.Bias[j])
		}
		w.Shape.Run(&t, w.M, width)
	}
}

// Pack gathers the kernel as the right operand of a walk: terms in the order that order gives
// (position in w of each term's first element), n columns step apart, in panels of width columns.
func (s Shape) Pack(dst, w []float32, order []int, n, step int) {
	k := len(order)
	for j := 0; j < n; j += s.Wide {
		panel := dst[j/s.Wide*k*s.Wide:][:k*s.Wide]
		cols := min(s.Wide, n-j)
		for q, at := range order {
			row := panel[q*s.Wide:][:s.Wide]
			if step == 1 {
				copy(row[:cols], w[at+j:])
			} else {
				for i := range cols {
					row[i] = w[at+(j+i)*step]
				}
			}
			clear(row[cols:])
		}
	}
}

func (s Shape) PackedSize(k, n int) int { return (n + s.Wide - 1) / s.Wide * s.Wide * k }
