package kernels

import "testing"

func TestBinaryShaped(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	onEachPath(t, func(t *testing.T) {
		r := generator(81)
		for range 400 {
			rank := r.IntN(6)
			a, b, out := make([]int, rank), make([]int, rank), make([]int, rank)
			for i := range out {
				out[i] = 1 + r.IntN(6)
				if r.IntN(5) == 0 {
					out[i] = 30
				}
				a[i], b[i] = out[i], out[i]
				switch r.IntN(4) {
				case 0:
					a[i] = 1
				case 1:
					b[i] = 1
				}
			}
			if product1(out) > 1<<16 {
				continue
			}
			x, y, dst := draw(r, product1(a)), draw(r, product1(b)), make([]float32, product1(out))
			op := BinaryOp(r.IntN(6))
			BinaryShaped(pool, op, dst, x, a, y, b)
			for i, got := range dst {
				rest, atX, atY, stepX, stepY := i, 0, 0, 1, 1
				for k := rank - 1; k >= 0; k-- {
					q := rest % out[k]
					rest /= out[k]
					if a[k] > 1 {
						atX += q * stepX
					}
					if b[k] > 1 {
						atY += q * stepY
					}
					stepX, stepY = stepX*a[k], stepY*b[k]
				}
				want := []float32{0}
				plainBinary(op, want, nil, nil, x[atX], y[atY])
				if got != want[0] {
					t.Fatalf("%v op %v: element %d is %v, not %v", a, b, i, got, want[0])
				}
			}
		}
		BinaryShaped(nil, Add, nil, nil, []int{0, 3}, []float32{1, 2, 3}, []int{1, 3})
	})
}
