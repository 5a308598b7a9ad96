// Package attention computes scaled dot-product attention and its gradient. Read attention.go, vector.go, bf16.go.
package attention

import (
	"math"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Layout is the order of the axes of queries, keys and values.
type Layout uint8

// The layouts of attention: batch, heads, sequence, width.
const (
	BHSD Layout = iota
	BSHD
)

// Attention is the shape of scaled dot-product attention, out = softmax(Scale·q·kᵀ + bias)·v for
// each item of the batch and each head.
type Attention struct {
	Batch, Heads  int
	Queries, Keys int // lengths of the two sequences
	Width         int // of a head, in queries and keys
	ValueWidth    int // of a head, in values and out; 0 means Width
	Layout        Layout
	Scale         float32 // 0 means 1/√Width
	Causal        bool    // query i sees keys 0 … i + Keys − Queries
	Lengths       []int32 // keys that item b has, or nil: all
	Bias          []float32
	BiasStrides   [3]int // distances in Bias along batch, head and query (0: shared); keys are 1 apart
	// Rounded makes Forward round the operands of both products (queries and keys, softmax and values) to bfloat16.
	// Sums and the softmax stay in float32. It needs AVX512-BF16; on other levels nothing is rounded.
	Rounded bool
}

// A query that sees no key gives 0 and a log-sum of -Inf.

func (s Attention) filled() Attention {
	if s.ValueWidth == 0 {
		s.ValueWidth = s.Width
	}
	if s.Scale == 0 {
		s.Scale = float32(1 / math.Sqrt(float64(s.Width)))
	}
	return s
}

// at gives where head h of item b starts, and the distance of its rows.
func (s Attention) at(b, h, length, width int) (start, stride int) {
	if s.Layout == BSHD {
		return (b*length*s.Heads + h) * width, s.Heads * width
	}
	return (b*s.Heads + h) * length * width, width
}

// visible is how many keys query i of item b sees.
func (s Attention) visible(b, i int) int {
	n := s.Keys
	if s.Lengths != nil {
		n = min(n, max(0, int(s.Lengths[b])))
	}
	if s.Causal {
		n = min(n, max(0, i+1+s.Keys-s.Queries))
	}
	return n
}

func (s Attention) check(function string, out, lse, q, k, v []float32) {
	n := s.Batch * s.Heads
	work.CheckLen(function, "q", len(q), n*s.Queries*s.Width)
	work.CheckLen(function, "k", len(k), n*s.Keys*s.Width)
	work.CheckLen(function, "v", len(v), n*s.Keys*s.ValueWidth)
	work.CheckLen(function, "out", len(out), n*s.Queries*s.ValueWidth)
	if lse != nil {
		work.CheckLen(function, "lse", len(lse), n*s.Queries)
	}
	if s.Lengths != nil && len(s.Lengths) < s.Batch {
		panic("kernels." + function + ": Lengths is shorter than the batch")
	}
	if s.Bias != nil && n*s.Queries*s.Keys > 0 {
		t := s.BiasStrides
		work.CheckLen(function, "Bias", len(s.Bias), (s.Batch-1)*t[0]+(s.Heads-1)*t[1]+(s.Queries-1)*t[2]+s.Keys)
	}
}

// bias gives the row of the bias for one query, or nil.
func (s Attention) bias(b, h, i int) []float32 {
	if s.Bias == nil {
		return nil
	}
	t := s.BiasStrides
	return s.Bias[b*t[0]+h*t[1]+i*t[2]:][:s.Keys]
}

// Forward computes out, and lse [Batch, Heads, Queries], the logarithm of each softmax's
// denominator, which Grad needs (lse may be nil). Scores are never stored whole.
func (s Attention) Forward(p *work.Pool, out, lse, q, k, v []float32) {
	s = s.filled()
	s.check("Attention.Forward", out, lse, q, k, v)
	if l := level.Current(); l != level.Off && s.Keys*s.Width*s.ValueWidth > 0 {
		s.vectorForward(p, l, out, lse, q, k, v)
		return
	}
	s.plainForward(p, out, lse, q, k, v)
}

// Grad computes the gradients dq, dk and dv from dout, with Forward's out and lse.
func (s Attention) Grad(p *work.Pool, dq, dk, dv, q, k, v, out, lse, dout []float32) {
	s = s.filled()
	s.check("Attention.Grad", out, lse, q, k, v)
	s.check("Attention.Grad", dout, lse, dq, dk, dv)
	if l := level.Current(); l != level.Off && s.Keys*s.Width*s.ValueWidth > 0 {
		s.vectorGrad(p, l, dq, dk, dv, q, k, v, out, lse, dout)
		return
	}
	s.plainGrad(p, dq, dk, dv, q, k, v, out, lse, dout)
}

// score is Scale·q·k + bias.
func (s Attention) score(q, k, bias []float32, j int) float32 {
	var sum float32
	for t, x := range q {
		sum += x * k[t]
	}
	sum *= s.Scale
	if bias != nil {
		sum += bias[j]
	}
	return sum
}

func (s Attention) plainForward(p *work.Pool, out, lse, q, k, v []float32) {
	p.For(s.Batch*s.Heads, 1, func(lo, hi int) {
		scores := make([]float32, s.Keys)
		for i := lo; i < hi; i++ {
			b, h := i/s.Heads, i%s.Heads
			q0, qs := s.at(b, h, s.Queries, s.Width)
			k0, ks := s.at(b, h, s.Keys, s.Width)
			v0, vs := s.at(b, h, s.Keys, s.ValueWidth)
			o0, os := s.at(b, h, s.Queries, s.ValueWidth)
			for r := range s.Queries {
				n, bias := s.visible(b, r), s.bias(b, h, r)
				row := q[q0+r*qs:][:s.Width]
				for j := range n {
					scores[j] = s.score(row, k[k0+j*ks:], bias, j)
				}
				to := out[o0+r*os:][:s.ValueWidth]
				clear(to)
				l := plainLogSum(scores[:n])
				if lse != nil {
					lse[i*s.Queries+r] = l
				}
				if math.IsInf(float64(l), -1) {
					continue
				}
				for j, x := range scores[:n] {
					w := float32(math.Exp(float64(x - l)))
					for t, y := range v[v0+j*vs:][:s.ValueWidth] {
						to[t] += w * y
					}
				}
			}
		}
	})
}

// plainLogSum is ln Σ eˣ.
func plainLogSum(x []float32) float32 {
	top := float64(vector.PlainReduce(vector.Maximum, x))
	if math.IsInf(top, -1) {
		return float32(top)
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return float32(top + math.Log(sum))
}

func (s Attention) plainGrad(p *work.Pool, dq, dk, dv, q, k, v, out, lse, dout []float32) {
	p.For(s.Batch*s.Heads, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			b, h := i/s.Heads, i%s.Heads
			q0, qs := s.at(b, h, s.Queries, s.Width)
			k0, ks := s.at(b, h, s.Keys, s.Width)
			v0, vs := s.at(b, h, s.Keys, s.ValueWidth)
			o0, os := s.at(b, h, s.Queries, s.ValueWidth)
			for j := range s.Keys {
				clear(dk[k0+j*ks:][:s.Width])
				clear(dv[v0+j*vs:][:s.ValueWidth])
			}
			for r := range s.Queries {
				n, bias := s.visible(b, r), s.bias(b, h, r)
				row, gq := q[q0+r*qs:][:s.Width], dq[q0+r*qs:][:s.Width]
				o, g := out[o0+r*os:][:s.ValueWidth], dout[o0+r*os:][:s.ValueWidth]
				clear(gq)
				l := lse[i*s.Queries+r]
				if math.IsInf(float64(l), -1) {
					continue
				}
				var delta float32
				for t, x := range o {
					delta += x * g[t]
				}
				for j := range n {
					key, gk := k[k0+j*ks:][:s.Width], dk[k0+j*ks:][:s.Width]
					val, gv := v[v0+j*vs:][:s.ValueWidth], dv[v0+j*vs:][:s.ValueWidth]
					w := float32(math.Exp(float64(s.score(row, key, bias, j) - l)))
					var dp float32
					for t, x := range g {
						gv[t] += w * x
						dp += x * val[t]
					}
					ds := w * (dp - delta) * s.Scale
					for t, x := range key {
						gq[t] += ds * x
						gk[t] += ds * row[t]
					}
				}
			}
		}
	})
}
