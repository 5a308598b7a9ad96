package pairs

import "math"

// dice is a source of random numbers that starts from a purpose and a place
// (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). Its numbers are part of what a
// seed means, so it does not rest on a library whose sequence may change.
type dice uint64

// purpose keeps the choices that are made at one place apart.
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

// roll returns the dice of a purpose at a place.
func roll(seed uint64, p purpose, place ...uint64) *dice {
	d := dice(seed)
	d = dice(d.uint64() ^ uint64(p))
	for _, x := range place {
		d = dice(d.uint64() ^ x)
	}
	return &d
}

func (d *dice) uint64() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is uniform in [0, 1).
func (d *dice) float() float64 { return float64(d.uint64()>>11) / (1 << 53) }

// between is uniform in [low, high).
func (d *dice) between(low, high float64) float64 { return low + (high-low)*d.float() }

// intn is uniform in [0, n), n at least 1. The bias of n/2⁵³ is far below what
// any run could see.
func (d *dice) intn(n int) int { return int(d.float() * float64(n)) }

// logBetween is exp of a number uniform between the logarithms.
func (d *dice) logBetween(low, high float64) float64 {
	return math.Exp(d.between(math.Log(low), math.Log(high)))
}

// shuffle puts the numbers in random order.
func shuffle[T any](d *dice, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := d.intn(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

// hash is FNV-1a of a text, as a place.
func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// normal is N(0, 1) (Box and Muller).
func (d *dice) normal() float64 {
	return math.Sqrt(-2*math.Log(1-d.float())) * math.Cos(2*math.Pi*d.float())
}
