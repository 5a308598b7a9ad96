package attention

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// exactAttention computes out and the gradients in float64 with whole matrices.
func exactAttention(s Attention, q, k, v, dout []float32) (out, dq, dk, dv []float64) {
	s = s.filled()
	out, dq, dk, dv = make([]float64, len(dout)), make([]float64, len(q)), make([]float64, len(k)), make([]float64, len(v))
	for n := range s.Batch * s.Heads {
		b, h := n/s.Heads, n%s.Heads
		q0, qs := s.at(b, h, s.Queries, s.Width)
		k0, ks := s.at(b, h, s.Keys, s.Width)
		v0, vs := s.at(b, h, s.Keys, s.ValueWidth)
		o0, os := s.at(b, h, s.Queries, s.ValueWidth)
		for i := range s.Queries {
			p := make([]float64, s.visible(b, i))
			top, sum := math.Inf(-1), 0.0
			for j := range p {
				for t := range s.Width {
					p[j] += float64(q[q0+i*qs+t]) * float64(k[k0+j*ks+t])
				}
				p[j] *= float64(s.Scale)
				if bias := s.bias(b, h, i); bias != nil {
					p[j] += float64(bias[j])
				}
				top = max(top, p[j])
			}
			if math.IsInf(top, -1) {
				continue
			}
			for j := range p {
				p[j] = math.Exp(p[j] - top)
				sum += p[j]
			}
			dp := make([]float64, len(p))
			var mean float64
			for j := range p {
				p[j] /= sum
				for t := range s.ValueWidth {
					x, g := float64(v[v0+j*vs+t]), float64(dout[o0+i*os+t])
					out[o0+i*os+t] += p[j] * x
					dv[v0+j*vs+t] += p[j] * g
					dp[j] += x * g
				}
				mean += p[j] * dp[j]
			}
			for j := range p {
				ds := p[j] * (dp[j] - mean) * float64(s.Scale)
				for t := range s.Width {
					dq[q0+i*qs+t] += ds * float64(k[k0+j*ks+t])
					dk[k0+j*ks+t] += ds * float64(q[q0+i*qs+t])
				}
			}
		}
	}
	return
}

func checkAttention(t *testing.T, s Attention, r *rand.Rand, pool *work.Pool) [][]float32 {
	t.Helper()
	f := s.filled()
	n := s.Batch * s.Heads
	q, k, v := kerneltest.Draw(r, n*s.Queries*f.Width), kerneltest.Draw(r, n*s.Keys*f.Width), kerneltest.Draw(r, n*s.Keys*f.ValueWidth)
	dout := kerneltest.Draw(r, n*s.Queries*f.ValueWidth)
	out, lse := kerneltest.Draw(r, len(dout)), kerneltest.Draw(r, n*s.Queries)
	dq, dk, dv := kerneltest.Draw(r, len(q)), kerneltest.Draw(r, len(k)), kerneltest.Draw(r, len(v))
	wo, wq, wk, wv := exactAttention(s, q, k, v, dout)
	s.Forward(pool, out, lse, q, k, v)
	s.Grad(pool, dq, dk, dv, q, k, v, out, lse, dout)
	s.Bias = nil
	name := fmt.Sprintf("%+v", s)
	bound := func(int) float64 { return 2e-5 * math.Sqrt(float64(s.Queries+s.Keys)) }
	kerneltest.CloseTo(t, "out of "+name, out, wo, bound)
	kerneltest.CloseTo(t, "dq of "+name, dq, wq, bound)
	kerneltest.CloseTo(t, "dk of "+name, dk, wk, bound)
	kerneltest.CloseTo(t, "dv of "+name, dv, wv, bound)
	return [][]float32{out, lse, dq, dk, dv}
}

// randomAttention draws a shape and its options.
func randomAttention(r *rand.Rand) Attention {
	s := Attention{Batch: 1 + r.IntN(3), Heads: 1 + r.IntN(3), Queries: 1 + r.IntN(40), Keys: 1 + r.IntN(40),
		Width: 1 + r.IntN(20), Layout: Layout(r.IntN(2)), Causal: r.IntN(3) == 0}
	if r.IntN(2) == 0 {
		s.Width = 8 * (1 + r.IntN(8))
	}
	if r.IntN(4) == 0 {
		s.ValueWidth = 1 + r.IntN(40)
	}
	if r.IntN(3) == 0 {
		s.Scale = 0.5
	}
	if r.IntN(3) == 0 {
		for range s.Batch {
			s.Lengths = append(s.Lengths, int32(r.IntN(s.Keys+2)))
		}
	}
	if r.IntN(3) == 0 {
		s.Bias = kerneltest.Draw(r, s.Batch*s.Queries*s.Keys)
		s.BiasStrides = [3]int{s.Queries * s.Keys, 0, s.Keys}
		for range len(s.Bias) / 3 {
			s.Bias[r.IntN(len(s.Bias))] = float32(math.Inf(-1))
		}
	}
	return s
}

func TestAttention(t *testing.T) {
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(41)
		for i := range 120 {
			s := randomAttention(r)
			if i%30 == 0 { // several blocks of queries
				s.Queries, s.Keys, s.Bias = 230, 450, nil
			}
			checkAttention(t, s, r, pool)
		}
	})
}

// NaN and infinity among the scores and values, and scores far apart, give on every path what plain Go gives.
func TestAttentionNaN(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, special := range map[string][]float32{
		"NaN": {nan}, "infinite": {inf}, "both infinities": {inf, -inf}, "far apart": {3e3, -3e3}, "minus infinity": {-inf},
	} {
		s := Attention{Batch: 1, Heads: 1, Queries: 7, Keys: 37, Width: 16}
		r := kerneltest.Generator(43)
		q, k, v := kerneltest.Draw(r, s.Queries*s.Width), kerneltest.Draw(r, s.Keys*s.Width), kerneltest.Draw(r, s.Keys*s.Width)
		bias := make([]float32, s.Queries*s.Keys) // rows 1, 3, 5 have special ones; the others must not notice
		for i := 1; i < s.Queries; i += 2 {
			for j, x := range special {
				bias[i*s.Keys+5*i+j] = x
			}
		}
		for j := range s.Keys {
			bias[6*s.Keys+j] = -inf // a row that sees nothing
		}
		s.Bias, s.BiasStrides = bias, [3]int{0, 0, s.Keys}
		want, wantSums := make([]float32, len(q)), make([]float32, s.Queries)
		filled := s.filled()
		filled.plainForward(nil, want, wantSums, q, k, v)
		kerneltest.OnEachLevel(t, func(t *testing.T) {
			got, sums := make([]float32, len(q)), make([]float32, s.Queries)
			s.Forward(nil, got, sums, q, k, v)
			alike(t, name+": out", got, want)
			alike(t, name+": log-sum", sums, wantSums)
		})
	}
}

// alike wants the same numbers within rounding, and NaN and infinity in the same places.
func alike(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		if g == w || g != g && w != w {
			continue
		}
		if d := math.Abs(float64(g - w)); !(d <= 1e-5*math.Max(1, math.Abs(float64(w)))) {
			t.Errorf("%s: element %d is %v, not %v", what, i, g, w)
			return
		}
	}
}

func TestAttentionThreads(t *testing.T) {
	s := Attention{Batch: 3, Heads: 4, Queries: 76, Keys: 76, Width: 32, Layout: BSHD}
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		var first [][]float32
		for _, threads := range []int{1, 2, 5} {
			pool := work.NewPool(threads)
			got := checkAttention(t, s, kerneltest.Generator(42), pool)
			pool.Close()
			if first == nil {
				first = got
			}
			for i := range got {
				kerneltest.SameBits(t, fmt.Sprint("result ", i), first[i], got[i])
			}
		}
	})
}

func BenchmarkAttention(b *testing.B) {
	for _, s := range []Attention{
		{Batch: 48, Heads: 2, Queries: 76, Keys: 76, Width: 32, Layout: BSHD},
		{Batch: 1, Heads: 6, Queries: 260, Keys: 260, Width: 64, Layout: BSHD},
		{Batch: 1, Heads: 6, Queries: 848, Keys: 848, Width: 64, Layout: BSHD},
		{Batch: 48, Heads: 2, Queries: 12, Keys: 12, Width: 32, Layout: BSHD},
	} {
		n := s.Batch * s.Heads
		r := kerneltest.Generator(1)
		q, k, v := kerneltest.Draw(r, n*s.Queries*s.Width), kerneltest.Draw(r, n*s.Keys*s.Width), kerneltest.Draw(r, n*s.Keys*s.Width)
		out, lse, g := make([]float32, len(q)), make([]float32, n*s.Queries), kerneltest.Draw(r, len(q))
		dq, dk, dv := kerneltest.Draw(r, len(q)), kerneltest.Draw(r, len(k)), kerneltest.Draw(r, len(v))
		flops := 4 * float64(n*s.Queries*s.Keys*s.Width)
		name := fmt.Sprintf("%dx%dx%dx%d", s.Batch, s.Heads, s.Queries, s.Width)
		b.Run(name+"/forward", func(b *testing.B) {
			kerneltest.Loop(b, flops, func() { s.Forward(nil, out, lse, q, k, v) })
		})
		if level.Current() >= level.AVX512BF16 {
			b.Run(name+"/rounded", func(b *testing.B) {
				s.Rounded = true
				kerneltest.Loop(b, flops, func() { s.Forward(nil, out, nil, q, k, v) })
			})
		}
		b.Run(name+"/grad", func(b *testing.B) {
			kerneltest.Loop(b, 2.5*flops, func() { s.Grad(nil, dq, dk, dv, q, k, v, out, lse, g) })
		})
	}
}
