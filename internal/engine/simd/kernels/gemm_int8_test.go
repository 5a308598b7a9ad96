package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
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
	onEachPath(t, func(t *testing.T) {
		if Path() < int8Level {
			t.Skip("no instructions for it")
		}
		r := generator(82)
		for i := range 2000 {
			x := rowOfBytes(r, i)
			got, want := make([]uint32, int8Words(len(x))), make([]uint32, int8Words(len(x)))
			roundBytes(want, x, false)
			if Path() >= AVX512VNNI {
				roundBytes(got, x, true)
			} else {
				pairs := make([]uint32, 2*len(got))
				int8Blocks(len(x), func(from, to, word int) {
					roundPairBlock(pairs[2*word:], x[from:to])
					end := word + (to-from+3)/4
					for g := word; g < end; g++ {
						got[g] = pairs[2*g] | pairs[2*g+1]<<8
					}
					got[end], got[end+1] = pairs[2*end], pairs[2*end+2]
				})
			}
			for j := range want {
				if nan := func(w uint32) bool { v := math.Float32frombits(w); return v != v }; got[j] != want[j] && !(nan(got[j]) && nan(want[j])) {
					t.Fatalf("case %d of %d terms: word %d is %08x, not %08x", i%8, len(x), j, got[j], want[j])
				}
			}
		}
	})
}

// rowOfBytes draws a row that is hard to round in one of eight ways.
func rowOfBytes(r *rand.Rand, i int) []float32 {
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
	return x
}

// TestInt8Bits: on every level with instructions the results have the bits of sums in whole numbers, scaled block by
// block. Bytes at the ends of their range are among them, where products in 16 bits would be cut off.
func TestInt8Bits(t *testing.T) {
	r := generator(85)
	for i := range 60 {
		m, n, k := 1+r.IntN(30), 1+r.IntN(70), 1+r.IntN(300)
		if i%10 == 0 {
			k += 4 * int8Block * (1 + i/20)
		}
		a, b := Matrix{Data: draw(r, m*k), Stride: k}, Matrix{Data: draw(r, k*n), Stride: n}
		if i%3 == 0 { // the largest bytes: 255·±127
			for q := range a.Data {
				a.Data[q] = float32(q % k & 1 * 3)
			}
			for q := range b.Data {
				b.Data[q] = float32(1 - 2*(q%n&1))
			}
		}
		w := Pack(nil, Int8, k, n, b)
		if w.Format() != Int8 {
			t.Fatal("the operand is not in bytes")
		}
		bias, c := draw(r, n), draw(r, m*n)
		e := Epilogue{Alpha: 0.37, Bias: bias, Accumulate: i%2 == 0, Activation: Activation(i % 4 / 3 * int(ReLU))}
		want := scaledSums(m, a, w, c, e)
		for l := int8Level; l <= Best(); l++ {
			func() {
				defer Force(l)()
				got := append([]float32{}, c...)
				GemmPacked(nil, m, a, w, got, n, e)
				sameBits(t, fmt.Sprintf("%v, %d×%d×%d", l, m, k, n), want, got)
			}()
		}
	}
}

// scaledSums is a product of bytes in Go.
func scaledSums(m int, a Matrix, w *PackedB, c []float32, e Epilogue) []float32 {
	n, total := w.n, int8Words(w.k)
	out, row, weights := append([]float32{}, c...), make([]uint32, total), words(w.data)
	for i := range m {
		roundBytes(row, a.Data[i*a.Stride:][:w.k], false)
		for j := range n {
			panel := weights[j/narrowWide*total*narrowWide+j%narrowWide:]
			to := &out[i*n+j]
			int8Blocks(w.k, func(from, end, word int) {
				groups := (end - from + 3) / 4
				sum := int32(0)
				for g := range groups {
					for q := range 4 {
						sum += int32(row[word+g]>>(8*q)&255) * int32(int8(panel[(word+g)*narrowWide]>>(8*q)))
					}
				}
				sum -= int32(row[word+groups+1]) * int32(panel[(word+groups+1)*narrowWide])
				v := float32(sum) * math.Float32frombits(panel[(word+groups)*narrowWide])
				v *= math.Float32frombits(row[word+groups])
				v *= e.Alpha
				if from > 0 || e.Accumulate {
					v += *to
				}
				*to = v
			})
			*to += e.Bias[j]
			if e.Activation == ReLU {
				*to = max(*to, 0)
			}
		}
	}
	return out
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
