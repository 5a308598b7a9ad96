package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// onBF16 runs a test where there are products of bfloat16.
func onBF16(t *testing.T) {
	t.Helper()
	if Path() < AVX512BF16 {
		t.Skip("no AVX512-BF16 here: attention is not rounded")
	}
}

func roundedSlice(x []float32) []float32 {
	y := slices.Clone(x)
	for i, v := range y {
		y[i] = fromBF16(toBF16(v))
	}
	return y
}

// checkRounded compares with float64 on rounded operands: what is left is the rounding of the exponentials, each by
// at most 2⁻⁸ of itself, and float32.
func checkRounded(t *testing.T, s Attention, slice func(n int) []float32, pool *Pool) []float32 {
	t.Helper()
	f := s.filled()
	n := s.Batch * s.Heads
	q, k, v := slice(n*s.Queries*f.Width), slice(n*s.Keys*f.Width), slice(n*s.Keys*f.ValueWidth)
	out, lse := slice(n*s.Queries*f.ValueWidth), slice(n*s.Queries)
	s.Rounded = true
	s.Forward(pool, out, lse, q, k, v)
	rq, rk, rv := roundedSlice(q), roundedSlice(k), roundedSlice(v)
	want, _, _, _ := exactAttention(s, rq, rk, rv, out)
	for i, x := range rv {
		rv[i] = float32(math.Abs(float64(x)))
	}
	sizes, _, _, _ := exactAttention(s, rq, rk, rv, out)
	s.Bias = nil
	closeTo(t, fmt.Sprintf("%+v", s), out, want, func(i int) float64 {
		return sizes[i]*0x1p-8 + 2e-5*math.Sqrt(float64(s.Keys))
	})
	return append(out, lse...)
}

func TestAttentionRounded(t *testing.T) {
	onBF16(t)
	pool := NewPool(2)
	defer pool.Close()
	r := generator(61)
	for i := range 200 {
		s := randomAttention(r)
		if i%40 == 0 { // several blocks of queries
			s.Queries, s.Keys, s.Bias = 230, 451, nil
		}
		checkRounded(t, s, func(n int) []float32 { return draw(r, n) }, pool)
	}
	s := Attention{Batch: 1, Heads: 1, Queries: 20, Keys: 50, Width: 32}
	q, k, v := draw(r, 20*32), draw(r, 50*32), draw(r, 50*32)
	plain, rounded := make([]float32, len(q)), make([]float32, len(q))
	s.Forward(nil, plain, nil, q, k, v)
	s.Rounded = true
	s.Forward(nil, rounded, nil, q, k, v)
	if slices.Equal(plain, rounded) {
		t.Error("nothing was rounded")
	}
}

// On levels without the instruction nothing is rounded.
func TestAttentionRoundedElsewhere(t *testing.T) {
	for l := Off; l < AVX512BF16 && l <= Best(); l++ {
		undo := Force(l)
		s := Attention{Batch: 1, Heads: 2, Queries: 9, Keys: 30, Width: 16}
		r := generator(62)
		q, k, v := draw(r, 2*9*16), draw(r, 2*30*16), draw(r, 2*30*16)
		plain, rounded := make([]float32, len(q)), make([]float32, len(q))
		s.Forward(nil, plain, nil, q, k, v)
		s.Rounded = true
		s.Forward(nil, rounded, nil, q, k, v)
		undo()
		sameBits(t, l.String(), plain, rounded)
	}
}

func TestAttentionRoundedThreads(t *testing.T) {
	onBF16(t)
	s := Attention{Batch: 3, Heads: 4, Queries: 76, Keys: 75, Width: 33, Layout: BSHD}
	var first []float32
	for _, threads := range []int{1, 2, 5} {
		pool, r := NewPool(threads), generator(63)
		got := checkRounded(t, s, func(n int) []float32 { return draw(r, n) }, pool)
		pool.Close()
		if first == nil {
			first = got
		}
		sameBits(t, fmt.Sprint(threads, " threads"), first, got)
	}
}

// NaN and infinity among the scores give NaN where plain Go gives it, and nothing elsewhere.
func TestAttentionRoundedNaN(t *testing.T) {
	onBF16(t)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, special := range map[string][]float32{"NaN": {nan}, "infinite": {inf}, "both": {inf, -inf}, "far apart": {3e3, -3e3}, "minus": {-inf}} {
		s := Attention{Batch: 1, Heads: 1, Queries: 7, Keys: 37, Width: 16}
		r := generator(64)
		q, k, v := draw(r, 7*16), draw(r, 37*16), draw(r, 37*16)
		s.Bias, s.BiasStrides = make([]float32, 7*37), [3]int{0, 0, 37}
		for i := 1; i < 7; i += 2 {
			copy(s.Bias[i*37+5*i:], special)
		}
		for j := range 37 {
			s.Bias[6*37+j] = -inf // a row that sees nothing
		}
		want, got := make([]float32, len(q)), make([]float32, len(q))
		filled := s.filled()
		filled.plainForward(nil, want, nil, q, k, v)
		s.Rounded = true
		s.Forward(nil, got, nil, q, k, v)
		for i, w := range want {
			if d := math.Abs(float64(got[i] - w)); !(d < 0.05) && !(w != w && got[i] != got[i]) {
				t.Errorf("%s: element %d is %v, not about %v", name, i, got[i], w)
			}
		}
	}
}

func TestRoundPanel(t *testing.T) {
	onBF16(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		k, n := 1+r.IntN(70), 1+r.IntN(70)
		b := Matrix{Stride: n + r.IntN(5), Transposed: r.IntN(2) == 0}
		if b.Transposed {
			b.Stride = k + r.IntN(5)
		}
		b.Data = draw(r, b.length(k, n))
		want := words(packBF16(nil, k, n, b).data)
		pairs := (k + 1) / 2
		for j := 0; j < n; j += narrowWide {
			panel := words(draw(r, pairs*narrowWide))
			roundPanel(panel, b, k, n, j)
			if !slices.Equal(panel, want[j*pairs:][:len(panel)]) {
				t.Fatalf("%d×%d, columns from %d of %+v", k, n, j, b.Transposed)
			}
		}
	}
}
