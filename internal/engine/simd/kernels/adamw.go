package kernels

import "math"

// AdamW holds the numbers of one step of AdamW (Loshchilov and Hutter, ICLR 2019).
type AdamW struct {
	LearningRate float32
	Beta1, Beta2 float32
	Epsilon      float32
	WeightDecay  float32 // decoupled; 0 for parameters that do not decay
	Step         int     // from 1, for the bias correction
	Scale        float32 // the gradient is multiplied by it first (clipping); 0 means 1
}

// Update does one step in place: param, first and second moment m and v, gradient g.
//
//	g ← Scale·g; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²
//	param ← param·(1 − lr·decay) − lr·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
func (o AdamW) Update(p *Pool, param, m, v, g []float32) {
	n := len(param)
	need("AdamW", "m", len(m), n)
	need("AdamW", "v", len(v), n)
	need("AdamW", "g", len(g), n)
	if o.Scale == 0 {
		o.Scale = 1
	}
	c := adamwConstants(o)
	p.For(n, 4096, func(lo, hi int) { adamw(&c, param[lo:hi], m[lo:hi], v[lo:hi], g[lo:hi]) })
}

// adamwConstants gives scale, β₁, 1−β₁, β₂, 1−β₂, lr/(1−β₁ᵗ), 1/(1−β₂ᵗ), ε, 1−lr·decay.
func adamwConstants(o AdamW) [9]float32 {
	t := float64(o.Step)
	return [9]float32{
		o.Scale, o.Beta1, 1 - o.Beta1, o.Beta2, 1 - o.Beta2,
		float32(float64(o.LearningRate) / (1 - math.Pow(float64(o.Beta1), t))),
		float32(1 / (1 - math.Pow(float64(o.Beta2), t))),
		o.Epsilon, float32(1 - float64(o.LearningRate)*float64(o.WeightDecay)),
	}
}

func adamw(c *[9]float32, param, m, v, g []float32) {
	n := len(param)
	if n == 0 || Path() == Off {
		plainAdamW(c, param, m, v, g)
		return
	}
	vecAdamW(&param[0], &m[:n][0], &v[:n][0], &g[:n][0], c, n)
}

func plainAdamW(c *[9]float32, param, m, v, g []float32) {
	for i := range param {
		x := g[i] * c[0]
		m[i] = c[1]*m[i] + c[2]*x
		v[i] = c[3]*v[i] + c[4]*x*x
		root := float32(math.Sqrt(float64(v[i] * c[6])))
		param[i] = param[i]*c[8] - c[5]*m[i]/(root+c[7])
	}
}
