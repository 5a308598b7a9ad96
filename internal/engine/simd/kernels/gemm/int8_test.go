package gemm

import (
	"fmt"
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
)

// TestInt8Bits: on every level with instructions the results have the bits of sums in whole numbers, scaled block by
// block. Bytes at the ends of their range are among them, where products in 16 bits would be cut off.
func TestInt8Bits(t *testing.T) {
	r := kerneltest.Generator(85)
	for i := range 60 {
		m, n, k := 1+r.IntN(30), 1+r.IntN(70), 1+r.IntN(300)
		if i%10 == 0 {
			k += 4 * tile.Int8Block * (1 + i/20)
		}
		a, b := tile.Matrix{Data: kerneltest.Draw(r, m*k), Stride: k}, tile.Matrix{Data: kerneltest.Draw(r, k*n), Stride: n}
		if i%3 == 0 { // the largest bytes: 255·±127
			for q := range a.Data {
				a.Data[q] = float32(q % k & 1 * 3)
			}
			for q := range b.Data {
				b.Data[q] = float32(1 - 2*(q%n&1))
			}
		}
		w := Pack(nil, tile.Int8, k, n, b)
		if w.Format() != tile.Int8 {
			t.Fatal("the operand is not in bytes")
		}
		bias, c := kerneltest.Draw(r, n), kerneltest.Draw(r, m*n)
		e := Epilogue{Alpha: 0.37, Bias: bias, Accumulate: i%2 == 0, Activation: vector.Activation(i % 4 / 3 * int(vector.ReLU))}
		want := scaledSums(m, a, w, c, e)
		for l := level.Int8Level; l <= level.Best(); l++ {
			func() {
				defer level.Force(l)()
				got := append([]float32{}, c...)
				multiplyPacked(nil, m, a, w, got, n, e)
				kerneltest.SameBits(t, fmt.Sprintf("%v, %d×%d×%d", l, m, k, n), want, got)
			}()
		}
	}
}

// scaledSums is a product of bytes in Go.
func scaledSums(m int, a tile.Matrix, w *PackedB, c []float32, e Epilogue) []float32 {
	n, total := w.n, tile.Int8Words(w.k)
	out, row, weights := append([]float32{}, c...), make([]uint32, total), tile.Words(w.data)
	for i := range m {
		tile.RoundBytes(row, a.Data[i*a.Stride:][:w.k], false)
		for j := range n {
			panel := weights[j/tile.NarrowWide*total*tile.NarrowWide+j%tile.NarrowWide:]
			to := &out[i*n+j]
			tile.Int8Blocks(w.k, func(from, end, word int) {
				groups := (end - from + 3) / 4
				sum := int32(0)
				for g := range groups {
					for q := range 4 {
						sum += int32(row[word+g]>>(8*q)&255) * int32(int8(panel[(word+g)*tile.NarrowWide]>>(8*q)))
					}
				}
				sum -= int32(row[word+groups+1]) * int32(panel[(word+groups+1)*tile.NarrowWide])
				v := float32(sum) * math.Float32frombits(panel[(word+groups)*tile.NarrowWide])
				v *= math.Float32frombits(row[word+groups])
				v *= e.Alpha
				if from > 0 || e.Accumulate {
					v += *to
				}
				*to = v
			})
			*to += e.Bias[j]
			if e.Activation == vector.ReLU {
				*to = max(*to, 0)
			}
		}
	}
	return out
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// TestInt8NaN: what is not finite makes its row or column NaN, and no other.
func TestInt8NaN(t *testing.T) {
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(83)
		const m, n, k = 5, 37, 50
		a, b := kerneltest.Draw(r, m*k), kerneltest.Draw(r, k*n)
		for i, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			a[i*k+11*i], b[7*i*n+10*i] = v, v
		}
		c := make([]float32, m*n)
		multiplyPacked(nil, m, tile.Matrix{Data: a, Stride: k}, Pack(nil, tile.Int8, k, n, tile.Matrix{Data: b, Stride: n}), c, n, Epilogue{})
		for i, v := range c {
			if bad := i/n < 3 || i%n%10 == 0 && i%n < 30; (v != v) != bad {
				t.Errorf("row %d, column %d is %v", i/n, i%n, v)
			}
		}
	})
}

// TestInt8Limit: a matrix with outliers stays in float32, and is right.
func TestInt8Limit(t *testing.T) {
	r := kerneltest.Generator(84)
	const m, n, k = 9, 20, 384
	a, b := kerneltest.Draw(r, m*k), kerneltest.Draw(r, k*n)
	if f := Pack(nil, tile.Int8, k, n, tile.Matrix{Data: b, Stride: n}).Format(); f != tile.Int8 {
		t.Errorf("normal weights are in %v", f)
	}
	for j := range n {
		b[r.IntN(k)*n+j] *= 100
	}
	w := Pack(nil, tile.Int8, k, n, tile.Matrix{Data: b, Stride: n})
	if w.Format() != tile.Float32 {
		t.Errorf("weights with outliers are in %v", w.Format())
	}
	got, want := make([]float32, m*n), make([]float32, m*n)
	multiplyPacked(nil, m, tile.Matrix{Data: a, Stride: k}, w, got, n, Epilogue{})
	multiply(nil, m, n, k, tile.Matrix{Data: a, Stride: k}, tile.Matrix{Data: b, Stride: n}, want, n, Epilogue{})
	kerneltest.SameBits(t, "outliers", got, want)
}
