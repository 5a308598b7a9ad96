package network

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// draw fills a tensor with its initial value.
type draw func(r *rand.Rand, out []float32)

// Initialize draws every tensor as the official code initialises it (or as the
// variant asks), by name. The same configuration and seed give the same bits
// on every machine; each tensor has a stream of its own, so that adding one
// does not change the others.
func Initialize(c Config, seed uint64) map[string][]float32 {
	tensors := map[string][]float32{}
	for _, p := range c.Params() {
		tensors[p.Name] = p.Initial(seed)
	}
	return tensors
}

// Initial draws the tensor's initial value, row-major.
func (p Param) Initial(seed uint64) []float32 {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	out := make([]float32, p.Size())
	p.draw(rand.New(rand.NewPCG(seed, h.Sum64())), out)
	return out
}

func drawConstant(value float64) draw {
	return func(_ *rand.Rand, out []float32) {
		for i := range out {
			out[i] = float32(value)
		}
	}
}

// drawNormal draws N(0, std²). The official code names it truncated, but cuts
// at an absolute 2.0, a hundred deviations away.
func drawNormal(std float64) draw {
	return func(r *rand.Rand, out []float32) {
		for i := range out {
			out[i] = float32(r.NormFloat64() * std)
		}
	}
}

// drawTruncated draws N(0, std²) cut at two deviations.
func drawTruncated(std float64) draw {
	return func(r *rand.Rand, out []float32) {
		for i := range out {
			x := r.NormFloat64()
			for math.Abs(x) > 2 {
				x = r.NormFloat64()
			}
			out[i] = float32(x * std)
		}
	}
}

func drawUniform(bound float64) draw {
	return func(r *rand.Rand, out []float32) {
		for i := range out {
			out[i] = float32((2*r.Float64() - 1) * bound)
		}
	}
}

// fanIn is the bound of PyTorch's default for linear and convolution layers.
func fanIn(n int) float64 { return 1 / math.Sqrt(float64(n)) }

func xavier(in, out int) float64 { return math.Sqrt(6 / float64(in+out)) }

// textDeviations are CLIP's deviations for a text block: attention input,
// both output layers, first MLP layer.
func textDeviations(t TextConfig) (in, out, fc float64) {
	w := float64(t.Width)
	in = 1 / math.Sqrt(w)
	return in, in / math.Sqrt(2*float64(t.Depth)), 1 / math.Sqrt(2*w)
}

func (c Config) logitScale() float64 { return math.Log(1 / c.Temperature) }
