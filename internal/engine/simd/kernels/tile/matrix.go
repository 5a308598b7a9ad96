package tile

// At is element (i, j).
func (x Matrix) At(i, j int) float32 {
	if x.Transposed {
		i, j = j, i
	}
	return x.Data[i*x.Stride+j]
}

// Matrix is an operand of a product, stored by rows. With Transposed unset, element (i, j) of the
// operand is Data[i*Stride+j]; set, it is Data[j*Stride+i].
type Matrix struct {
	Data       []float32
	Stride     int
	Transposed bool
}

// Length is how many elements the operand's slice must have for rows×cols.
func (x Matrix) Length(rows, cols int) int {
	if x.Transposed {
		rows, cols = cols, rows
	}
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*x.Stride + cols
}
