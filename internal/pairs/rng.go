package pairs

import "math"

// rng is a random number generator that is seeded by a purpose and indices
// (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). Its numbers are part of what a
// seed means, so it does not rest on a library whose sequence may change.
type rng uint64

// purpose separates the choices that are made for one index.
type purpose uint64

const (
	forOrder purpose = iota + 1
	forBuffer
	forBalance
	forSubstitute
	forPicture
	forCaption
	forNouns
	forTemplate
	forCrop
	forWeights
	forMix
	forExtraNouns
)

// newRNG returns the generator of a purpose at some indices, as a step's.
func newRNG(seed uint64, p purpose, indices ...uint64) *rng {
	d := rng(seed)
	d = rng(d.uint64() ^ uint64(p))
	for _, x := range indices {
		d = rng(d.uint64() ^ x)
	}
	return &d
}

func (d *rng) uint64() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is uniform in [0, 1).
func (d *rng) float() float64 { return float64(d.uint64()>>11) / (1 << 53) }

// between is uniform in [low, high).
func (d *rng) between(low, high float64) float64 { return low + (high-low)*d.float() }

// intn is uniform in [0, n), n at least 1. The bias of n/2⁵³ is far below what
// any run could see.
func (d *rng) intn(n int) int { return int(d.float() * float64(n)) }

// logBetween is exp of a number uniform between the logarithms.
func (d *rng) logBetween(low, high float64) float64 {
	return math.Exp(d.between(math.Log(low), math.Log(high)))
}

// shuffle puts the numbers in random order.
func shuffle[T any](d *rng, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := d.intn(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

// hash is FNV-1a of a text, as an index of [newRNG].
func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// normal is N(0, 1) (Box and Muller).
func (d *rng) normal() float64 {
	return math.Sqrt(-2*math.Log(1-d.float())) * math.Cos(2*math.Pi*d.float())
}
