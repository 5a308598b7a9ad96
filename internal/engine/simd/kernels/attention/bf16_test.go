package attention

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

func roundedSlice(x []float32) []float32 {
	y := slices.Clone(x)
	for i, v := range y {
		y[i] = tile.FromBF16(tile.ToBF16(v))
	}
	return y
}

// checkRounded compares with float64 on rounded operands: what is left is the rounding of the exponentials, each by
// at most 2⁻⁸ of itself, and float32.
func checkRounded(t *testing.T, s Attention, slice func(n int) []float32, pool *work.Pool) []float32 {
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
	kerneltest.CloseTo(t, fmt.Sprintf("%+v", s), out, want, func(i int) float64 {
		return sizes[i]*0x1p-8 + 2e-5*math.Sqrt(float64(s.Keys))
	})
	return append(out, lse...)
}

func TestAttentionRounded(t *testing.T) {
	kerneltest.NeedBF16(t)
	pool := work.NewPool(2)
	defer pool.Close()
	r := kerneltest.Generator(61)
	for i := range 200 {
		s := randomAttention(r)
		if i%40 == 0 { // several blocks of queries
			s.Queries, s.Keys, s.Bias = 230, 451, nil
		}
		checkRounded(t, s, func(n int) []float32 { return kerneltest.Draw(r, n) }, pool)
	}
	s := Attention{Batch: 1, Heads: 1, Queries: 20, Keys: 50, Width: 32}
	q, k, v := kerneltest.Draw(r, 20*32), kerneltest.Draw(r, 50*32), kerneltest.Draw(r, 50*32)
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
	for l := level.Off; l < level.AVX512BF16 && l <= level.Best(); l++ {
		undo := level.Force(l)
		s := Attention{Batch: 1, Heads: 2, Queries: 9, Keys: 30, Width: 16}
		r := kerneltest.Generator(62)
		q, k, v := kerneltest.Draw(r, 2*9*16), kerneltest.Draw(r, 2*30*16), kerneltest.Draw(r, 2*30*16)
		plain, rounded := make([]float32, len(q)), make([]float32, len(q))
		s.Forward(nil, plain, nil, q, k, v)
		s.Rounded = true
		s.Forward(nil, rounded, nil, q, k, v)
		undo()
		kerneltest.SameBits(t, l.String(), plain, rounded)
	}
}

func TestAttentionRoundedThreads(t *testing.T) {
	kerneltest.NeedBF16(t)
	s := Attention{Batch: 3, Heads: 4, Queries: 76, Keys: 75, Width: 33, Layout: BSHD}
	var first []float32
	for _, threads := range []int{1, 2, 5} {
		pool, r := work.NewPool(threads), kerneltest.Generator(63)
		got := checkRounded(t, s, func(n int) []float32 { return kerneltest.Draw(r, n) }, pool)
		pool.Close()
		if first == nil {
			first = got
		}
		kerneltest.SameBits(t, fmt.Sprint(threads, " threads"), first, got)
	}
}

// NaN and infinity among the scores give NaN where plain Go gives it, and nothing elsewhere.
func TestAttentionRoundedNaN(t *testing.T) {
	kerneltest.NeedBF16(t)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, special := range map[string][]float32{"NaN": {nan}, "infinite": {inf}, "both": {inf, -inf}, "far apart": {3e3, -3e3}, "minus": {-inf}} {
		s := Attention{Batch: 1, Heads: 1, Queries: 7, Keys: 37, Width: 16}
		r := kerneltest.Generator(64)
		q, k, v := kerneltest.Draw(r, 7*16), kerneltest.Draw(r, 37*16), kerneltest.Draw(r, 37*16)
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
