package kernels

import (
	"math"
	"testing"
)

// FuzzGemm compares the vector paths with plain Go on shapes, strides and options drawn by the fuzzer.
func FuzzGemm(f *testing.F) {
	f.Add(uint8(7), uint8(17), uint8(5), uint16(0), uint64(1))
	f.Add(uint8(13), uint8(8), uint8(64), uint16(0x3ff), uint64(2))
	f.Add(uint8(1), uint8(1), uint8(1), uint16(0x155), uint64(3))
	f.Fuzz(func(t *testing.T, m, n, k uint8, options uint16, seed uint64) {
		bit := func(i int) bool { return options>>i&1 != 0 }
		p := productCase{batch: 1, m: int(m%96) + 1, n: int(n%96) + 1, k: int(k) + 1, ta: bit(0), tb: bit(1), bias: bit(2),
			accumulate: bit(3), residual: bit(4), act: Activation(options >> 5 & 3), packed: bit(7), extra: int(options >> 8 & 7)}
		if bit(11) {
			p.batch, p.packed, p.shareA = 3, false, bit(12)
		}
		for l := Off; l <= Best(); l++ {
			undo := Force(l)
			p.run(t, generator(seed), nil)
			undo()
		}
	})
}

// FuzzConv does the same for convolutions and their gradients.
func FuzzConv(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(99))
	f.Fuzz(func(t *testing.T, seed uint64) {
		c := randomConv(generator(seed))
		for l := Off; l <= Best(); l++ {
			undo := Force(l)
			checkConv(t, c, generator(seed+1), nil)
			undo()
		}
	})
}

// FuzzAttention compares attention and its gradient on every path with float64, shapes and options drawn.
func FuzzAttention(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(77))
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := randomAttention(generator(seed))
		for l := Off; l <= Best(); l++ {
			undo := Force(l)
			checkAttention(t, s, generator(seed+1), nil)
			undo()
		}
	})
}

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
