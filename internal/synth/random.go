package synth

import (
	"math"
	"math/rand/v2"
	"sync"
)

// random is the source of one scene. Go may fuse x*y + z on some processors,
// which changes the last bit; every product that is added to something is
// therefore rounded by an explicit conversion in this package, and functions
// whose last bit differs between platforms (sine, logarithm) are not used while
// drawing.
type random struct{ pcg rand.PCG }

// newRandom seeds the source of scene index. Neighbouring seeds and indices
// give unrelated streams.
func newRandom(seed, index uint64) *random {
	r := &random{}
	r.pcg.Seed(mix(seed+0x9E3779B97F4A7C15), mix(index^mix(seed)))
	return r
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// float draws from [0, 1).
func (r *random) float() float64 { return float64(r.pcg.Uint64()>>11) * 0x1p-53 }

// between draws from [low, high).
func (r *random) between(low, high float64) float64 {
	return low + float64(r.float()*(high-low))
}

// below draws an integer from 0 to n−1; n is far below 2³², so the bias of the
// multiplication (Lemire 2019) is far below 2⁻³⁰.
func (r *random) below(n int) int { return int((r.pcg.Uint64() >> 32) * uint64(n) >> 32) }

// chance is true with probability p.
func (r *random) chance(p float64) bool { return r.float() < p }

// normalBits is the number of random bits of one Gaussian value.
const normalBits = 16

// normals holds the quantiles of the standard normal distribution at the
// middles of 2^normalBits equal parts, rounded to multiples of 2⁻²⁰, which
// hides the last bits in which platforms differ. The largest is 4.3.
var normals = sync.OnceValue(func() *[1 << normalBits]float32 {
	table := new([1 << normalBits]float32)
	for i := range table[:len(table)/2] {
		p := (float64(i) + 0.5) / float64(len(table))
		q := float32(math.Round(math.Sqrt2*math.Erfinv(2*p-1)*(1<<20)) / (1 << 20))
		table[i], table[len(table)-1-i] = q, -q
	}
	return table
})

// sinTurns is sin(2πt) by its Taylor series about the nearest quarter, exact to
// 10⁻⁹ and equal on all platforms.
func sinTurns(t float64) float64 {
	t -= math.Floor(t)
	switch { // fold to the first quarter, in both directions of zero
	case t > 0.75:
		t -= 1
	case t > 0.25:
		t = 0.5 - t
	}
	x := t * (2 * math.Pi) // −π/2 to π/2
	y := float64(x * x)
	s := 1.0
	for _, n := range [...]float64{156, 110, 72, 42, 20, 6} { // (2k)(2k+1)
		s = 1 - float64(y*s)/n
	}
	return float64(x * s)
}

// cosTurns is cos(2πt).
func cosTurns(t float64) float64 { return sinTurns(t + 0.25) }
