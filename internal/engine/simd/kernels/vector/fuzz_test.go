package vector

import (
	"math"
	"testing"
)

// FuzzUnary feeds any bits to every function: the vector form and the plain one must agree on what
// is finite, and on NaN and infinity exactly.
func FuzzUnary(f *testing.F) {
	for _, v := range specials {
		f.Add(math.Float32bits(v))
	}
	f.Fuzz(func(t *testing.T, word uint32) {
		x := []float32{math.Float32frombits(word)}
		for op := Neg; op <= Relu; op++ {
			want, got := []float32{0}, []float32{0}
			plainUnary(op, want, x)
			Unary(nil, op, got, x)
			a, b := float64(got[0]), float64(want[0])
			if math.IsNaN(a) && math.IsNaN(b) || a == b {
				continue
			}
			if !(math.Abs(a-b) <= 1e-6*math.Max(math.Abs(b), 1)) && !(math.Abs(a-b) <= 1e-6*math.Abs(float64(x[0]))) {
				t.Errorf("op %d of %v is %v, not %v", op, x[0], a, b)
			}
		}
	})
}
