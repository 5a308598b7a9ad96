package kernels

import (
	"math"
	"testing"
)

// TestInt8Rounding bounds what rounding does to rows and columns: half a step, and nothing to zero.
func TestInt8Rounding(t *testing.T) {
	r := generator(81)
	for _, k := range []int{1, 3, 15, 16, 17, 100, 4*int8Block - 1, 4 * int8Block, 4*int8Block + 1, 9 * int8Block} {
		x := draw(r, k)
		shift := float32(r.NormFloat64())
		for i := range x {
			if x[i] += shift; i%7 == 3 {
				x[i] = 0
			}
		}
		row := inBytes(1, k, Matrix{Data: x, Stride: k}).Data
		column := packInt8(nil, k, 1, Matrix{Data: x, Stride: 1}).unpackInt8().Data
		int8Blocks(k, func(from, to, _ int) {
			var least, most float32
			for _, v := range x[from:to] {
				least, most = min(least, v), max(most, v)
			}
			stepA, stepB := float64(most-least)/255, float64(max(most, -least))/127
			for q := from; q < to; q++ {
				if d := math.Abs(float64(row[q] - x[q])); d > 0.5001*stepA || x[q] == 0 && row[q] != 0 {
					t.Fatalf("k %d: %v became %v in a row, step %v", k, x[q], row[q], stepA)
				}
				if d := math.Abs(float64(column[q] - x[q])); d > 0.5001*stepB || x[q] == 0 && column[q] != 0 {
					t.Fatalf("k %d: %v became %v in a column, step %v", k, x[q], column[q], stepB)
				}
			}
		})
	}
}

// TestInt8RoundingOfVectors compares the instructions with plain Go, word by word.
func TestInt8RoundingOfVectors(t *testing.T) {
	if Best() < AVX512VNNI {
		t.Skip("this machine has no AVX512-VNNI")
	}
	r := generator(82)
	for i := range 2000 {
		k := 1 + r.IntN(200)
		x := draw(r, k)
		switch i % 8 {
		case 0: // of one sign
			for q := range x {
				x[q] = -abs(x[q])
			}
		case 1: // very large
			for q := range x {
				x[q] *= 1e38
			}
		case 2: // too small for a scale
			for q := range x {
				x[q] *= 1e-40
			}
		case 3:
			clear(x)
		case 4:
			x[r.IntN(k)] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[r.IntN(3)]
		case 5: // ties
			for q := range x {
				x[q] = float32(r.IntN(511)-255) / 2
			}
			x[0] = 127.5
		}
		got, want := make([]uint32, int8Words(k)), make([]uint32, int8Words(k))
		roundBytes(got, x, true)
		roundBytes(want, x, false)
		for j := range want {
			if nan := func(w uint32) bool { v := math.Float32frombits(w); return v != v }; got[j] != want[j] && !(nan(got[j]) && nan(want[j])) {
				t.Fatalf("case %d of %d terms: word %d is %08x, not %08x", i%8, k, j, got[j], want[j])
			}
		}
	}
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// TestInt8NaN: what is not finite makes its row or column NaN, and no other.
func TestInt8NaN(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := generator(83)
		const m, n, k = 5, 37, 50
		a, b := draw(r, m*k), draw(r, k*n)
		for i, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			a[i*k+11*i], b[7*i*n+10*i] = v, v
		}
		c := make([]float32, m*n)
		GemmPacked(nil, m, Matrix{Data: a, Stride: k}, Pack(nil, Int8, k, n, Matrix{Data: b, Stride: n}), c, n, Epilogue{})
		for i, v := range c {
			if bad := i/n < 3 || i%n%10 == 0 && i%n < 30; (v != v) != bad {
				t.Errorf("row %d, column %d is %v", i/n, i%n, v)
			}
		}
	})
}

// TestInt8Limit: a matrix with outliers stays in float32, and is right.
func TestInt8Limit(t *testing.T) {
	r := generator(84)
	const m, n, k = 9, 20, 384
	a, b := draw(r, m*k), draw(r, k*n)
	if f := Pack(nil, Int8, k, n, Matrix{Data: b, Stride: n}).Format(); f != Int8 {
		t.Errorf("normal weights are in %v", f)
	}
	for j := range n {
		b[r.IntN(k)*n+j] *= 100
	}
	w := Pack(nil, Int8, k, n, Matrix{Data: b, Stride: n})
	if w.Format() != Float32 {
		t.Errorf("weights with outliers are in %v", w.Format())
	}
	got, want := make([]float32, m*n), make([]float32, m*n)
	GemmPacked(nil, m, Matrix{Data: a, Stride: k}, w, got, n, Epilogue{})
	Gemm(nil, m, n, k, Matrix{Data: a, Stride: k}, Matrix{Data: b, Stride: n}, want, n, Epilogue{})
	sameBits(t, "outliers", got, want)
}
